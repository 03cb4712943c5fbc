defmodule Penning.Options do
  @moduledoc """
  What to start and how, checked before anything is started. Pure.

  | option | value | default |
  |---|---|---|
  | `:cd` | working directory, a binary | the port program's own |
  | `:env` | enumerable of `{name, value}`: a map, a keyword list, a list; a value of `nil` or `false` unsets | `[]` |
  | `:arg0` | what the program sees as its name, a binary | the program as given |
  | `:delay_to_sigkill` | milliseconds from SIGTERM to SIGKILL, 0 or more | 500 |
  | `:stdio_window` | bytes of each stream that may be on their way, more than 0 | 65536 |
  | `:ready` | when it counts as started: a check of `Penning.Readiness` | at once |
  | `:start_timeout` | milliseconds until then, or `:infinity`; the process is killed after it | `:infinity` |
  | `:port` | the `Penning.Port` process to use: a pid or a name | `Penning.Port` |

  The environment and the directory that a child starts from are those of the port program, and so
  of the BEAM when it started that; a relative `:cd` counts from there.

  ProtonStream's `:uid`, `:gid` and `:cgroup_*` are known and refused: this version cannot do
  them, and a program that should have lost its privileges must not start with them.
  """

  @wire [:cd, :env, :arg0, :delay_to_sigkill, :stdio_window, :ready]
  @later [:uid, :gid, :groups, :cgroup_controllers, :cgroup_base, :cgroup_path, :cgroup_sets] ++
           [:stderr_to_stdout, :capture_stderr_only, :parallelism]

  @window 65_536
  @max_ms 4_294_967_295

  @enforce_keys [:program, :args]
  defstruct [:program, :args, wire: %{}, stdio_window: @window] ++
              [start_timeout: :infinity, port: Penning.Port]

  @typedoc "`wire` are the options as the port program wants them."
  @type t :: %__MODULE__{
          program: binary,
          args: [binary],
          wire: %{optional(atom) => term},
          stdio_window: pos_integer,
          start_timeout: timeout,
          port: GenServer.server()
        }

  @doc """
  Checks a program, its arguments and the options; raises `ArgumentError`, naming option and
  value.

      iex> options = Penning.Options.new!("env", [], env: %{"A" => "1", "B" => nil}, cd: "/tmp")
      iex> options.wire
      %{cd: "/tmp", env: [{"A", "1"}, {"B", false}]}

      iex> Penning.Options.new!("cat", [], stdio_window: -1)
      ** (ArgumentError) invalid option :stdio_window with value -1: expected an integer greater than 0

      iex> Penning.Options.new!("cat", [], uid: 1000)
      ** (ArgumentError) option :uid (value 1000) is not supported by this version of penning

      iex> Penning.Options.new!("cat", [], colour: :red)
      ** (ArgumentError) unknown option :colour with value :red

      iex> Penning.Options.new!("cat", ["a\\0b"], [])
      ** (ArgumentError) invalid argument "a\\0b" of "cat": it contains a NUL byte
  """
  @spec new!(term, term, term) :: t
  def new!(program, args, opts) do
    options = %__MODULE__{program: program!(program), args: args!(args, program)}
    opts |> keyword!() |> Enum.reduce(options, &put!/2)
  end

  @doc "Bytes of each stream that may be on their way, unless `:stdio_window` says otherwise."
  @spec default_window() :: pos_integer
  def default_window, do: @window

  @doc """
  The words for a `bad_option` that only the port program could find (a missing directory, say).

  The value is the one that was given, if there was one: the port program may spell it its own
  way.

      iex> options = Penning.Options.new!("cat", [], cd: "/nowhere")
      iex> Penning.Options.complaint(options, :cd, "its own way", "no such directory")
      "invalid option :cd with value \\"/nowhere\\": no such directory"
  """
  @spec complaint(t, term, term, term) :: String.t()
  def complaint(options, name, value, text) do
    name = Enum.find([:program, :args | @wire], name, &(to_string(&1) == name))
    known = Map.merge(options.wire, %{program: options.program, args: options.args})
    complaint(name, Map.get(known, name, value), text(text))
  end

  defp complaint(name, value, text),
    do: "invalid option #{inspect(name)} with value #{show(value)}: #{text}"

  defp text(text) when is_binary(text), do: text
  defp text(other), do: inspect(other)

  defp program!(""), do: raise(ArgumentError, "invalid program \"\": it is empty")

  defp program!(program) when is_binary(program) do
    if nul?(program),
      do: raise(ArgumentError, "invalid program #{show(program)}: it contains a NUL byte"),
      else: program
  end

  defp program!(other),
    do: raise(ArgumentError, "invalid program #{inspect(other)}: expected a binary")

  defp args!(args, program) do
    if not proper_list?(args),
      do: raise(ArgumentError, "invalid arguments #{inspect(args)}: expected a list of binaries")

    Enum.each(args, &arg!(&1, program))
    args
  end

  defp arg!(arg, program) do
    cond do
      not is_binary(arg) -> bad_arg!(arg, program, "expected a binary")
      nul?(arg) -> bad_arg!(arg, program, "it contains a NUL byte")
      true -> :ok
    end
  end

  defp bad_arg!(arg, program, text),
    do: raise(ArgumentError, "invalid argument #{show(arg)} of #{inspect(program)}: #{text}")

  defp keyword!(opts) do
    if Keyword.keyword?(opts),
      do: opts,
      else: raise(ArgumentError, "invalid options #{inspect(opts)}: expected a keyword list")
  end

  defp put!({:port, port}, options) do
    if server?(port),
      do: %{options | port: port},
      else: bad!(:port, port, "expected a pid or a name")
  end

  defp put!({:start_timeout, time}, options) do
    if time == :infinity or (is_integer(time) and time in 0..@max_ms),
      do: %{options | start_timeout: time},
      else: bad!(:start_timeout, time, "expected milliseconds, 0 to #{@max_ms}, or :infinity")
  end

  defp put!({name, _} = option, options) when name in @wire do
    value = value!(option)
    options = %{options | wire: Map.put(options.wire, name, value)}
    if name == :stdio_window, do: %{options | stdio_window: value}, else: options
  end

  defp put!({name, value}, _options) when name in @later do
    raise ArgumentError,
          "option #{inspect(name)} (value #{inspect(value)}) is not supported by this version of penning"
  end

  defp put!({name, value}, _options),
    do: raise(ArgumentError, "unknown option #{inspect(name)} with value #{inspect(value)}")

  defp value!({:delay_to_sigkill, ms}) when is_integer(ms) and ms >= 0, do: ms

  defp value!({:delay_to_sigkill, other}),
    do: bad!(:delay_to_sigkill, other, "expected milliseconds, an integer of 0 or more")

  defp value!({:stdio_window, bytes}) when is_integer(bytes) and bytes > 0, do: bytes

  defp value!({:stdio_window, other}),
    do: bad!(:stdio_window, other, "expected an integer greater than 0")

  defp value!({:ready, ready}) do
    case Penning.Readiness.wire(ready) do
      {:ok, wire} -> wire
      {:error, text} -> bad!(:ready, ready, text)
    end
  end

  defp value!({:env, env}), do: Enum.map(pairs!(env), &variable!/1)

  defp value!({name, text}) when is_binary(text) and text != "" do
    if nul?(text), do: bad!(name, text, "it contains a NUL byte"), else: text
  end

  defp value!({name, other}), do: bad!(name, other, "expected a binary that is not empty")

  defp pairs!(env) do
    if Enumerable.impl_for(env) && (not is_list(env) or proper_list?(env)),
      do: Enum.to_list(env),
      else: bad!(:env, env, "expected an enumerable of {name, value}")
  end

  defp variable!({name, value} = pair) do
    name =
      if is_atom(name) and name not in [nil, true, false], do: Atom.to_string(name), else: name

    cond do
      not is_binary(name) -> bad!(:env, pair, "the name is no binary")
      name == "" -> bad!(:env, pair, "the name is empty")
      String.contains?(name, "=") -> bad!(:env, pair, "the name contains \"=\"")
      nul?(name) -> bad!(:env, pair, "the name contains a NUL byte")
      value in [nil, false] -> {name, false}
      not is_binary(value) -> bad!(:env, pair, "the value is neither a binary nor nil")
      nul?(value) -> bad!(:env, pair, "the value contains a NUL byte")
      true -> {name, value}
    end
  end

  defp variable!(other), do: bad!(:env, other, "expected {name, value}")

  defp bad!(name, value, text), do: raise(ArgumentError, complaint(name, value, text))

  # inspect/1 would show a string with a NUL as a list of bytes.
  defp show(value), do: inspect(value, binaries: :as_strings)

  defp nul?(binary), do: :binary.match(binary, <<0>>) != :nomatch

  defp proper_list?(list), do: is_list(list) and List.improper?(list) == false

  @doc "Whether a process may be reached by this."
  @spec server?(term) :: boolean
  def server?({:via, module, _}), do: is_atom(module)
  def server?({:global, _}), do: true
  def server?({name, node}), do: is_atom(name) and is_atom(node)

  def server?(server),
    do: is_pid(server) or (is_atom(server) and server not in [nil, true, false])
end
