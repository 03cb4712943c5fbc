defmodule Penning.Options do
  @moduledoc """
  What to start and how, checked before anything is started. Pure, but for a look at the process
  that `:port` names.

  ## What it runs with

  | option | value | default |
  |---|---|---|
  | `:cd` | working directory, a binary | the port program's own |
  | `:env` | enumerable of `{name, value}`: a map, a keyword list, a list; a value of `nil` or `false` unsets | `[]` |
  | `:clear_env` | whether it gets none of the port program's variables, only those of `:env` | `false` |
  | `:arg0` | what the program sees as its name, a binary | the program as given |
  | `:umask` | as for umask(2), `0o022` | the port program's |
  | `:nice` | -20 to 19, absolute: `10` | the port program's |
  | `:rlimits` | limits by their names in getrlimit(2), `[nofile: 1024, core: 0, cpu: {60, :infinity}]` | the port program's |
  | `:session` | whether it has a session of its own, not only a process group | `false` |

  The environment and the directory that a child starts from are those of the port program, and so
  of the BEAM when it started that; a relative `:cd` counts from there.

  ## Whom it runs as

  | option | value | default |
  |---|---|---|
  | `:uid` | a user's number or name, `"nobody"` | the port program's |
  | `:gid` | a group's number or name | that of the user |
  | `:groups` | its supplementary groups, `["audio", 44]` | those of the user |
  | `:allow_root` | lets these three mean root | `false` |
  | `:capabilities` | `{:keep, names}` or `{:drop, names}`, see capabilities(7): `{:keep, [:net_bind_service]}` | what its user has |
  | `:no_new_privs` | whether no setuid program gives it more | `false` |

      Penning.open("my_server", [], uid: "www-data", umask: 0o027, rlimits: [nofile: 4096])

  ## Its streams

  | option | value | default |
  |---|---|---|
  | `:stdin`, `:stdout`, `:stderr` | `:owner`, `:null`, `:closed`, `{:file, path}`, `[file: path, append: true, mode: 0o640]`; for stderr also `:stdout` | `:owner` |
  | `:stdio_window` | bytes of each stream that may be on their way, more than 0 | 65536 |
  | `:stdin_window`, `:stdout_window`, `:stderr_window` | the same of one stream | that |
  | `:stdin_limit` | bytes for stdin that may wait besides, unless they are alone; what is more is refused | 16 MiB |
  | `:stdout_delivery`, `:stderr_delivery` | `:bytes`, as it comes; `:lines`, or `[max_length: 1000]`; records, `[delimiter: <<0>>, max_length: 1000]` | `:bytes` |
  | `:pty` | a terminal: `true`, or `[rows: 24, columns: 80, modes: [echo: false]]`, the modes by their names in RFC 4254 | `false` |

  Lines and records come as `{:eol, binary}` without what ends them; one that is longer than
  `:max_length` (65536), or is not ended when the stream is, comes in pieces, `{:noeol, binary}`,
  as the option `{:line, n}` of `:erlang.open_port/2` has it.

      Penning.open("make", ["all"], stderr: :stdout, stdin: :null)
      Penning.open("top", [], pty: [rows: 50, columns: 132])

  ## Its end

  | option | value | default |
  |---|---|---|
  | `:stop_signal` | what asks it to end, a number or a name: `"INT"` | SIGTERM; with a pty it is hung up on |
  | `:stop_command` | run instead of sending that, with its pid in `MAINPID`: `["nginx", "-s", "quit"]` | none |
  | `:delay_to_sigkill` | milliseconds from then to SIGKILL, 0 or more | 500 |
  | `:success_exit_codes` | statuses besides 0 that end it with `:normal`, `[3]` | `[]` |
  | `:orphans` | what becomes of its descendants when it ends by itself: `:kill`, or `:keep` until its end is asked for | `:kill` |
  | `:pid_namespace` | whether it has a pid namespace of its own, which nothing outlives | `false` |
  | `:require_containment` | starts with nothing weaker: `:process_group`, `:subreaper`, `:cgroup`, `:pid_namespace` | none |

  ## Its control group

  | option | value | default |
  |---|---|---|
  | `:limits` | of all its processes together: `[memory: 268_435_456, cpu: 0.5, pids: 100]`, in bytes and processors, and `io: [[device: "/dev/sda", read_bytes: 1_000_000]]`, each second, likewise `:write_bytes`, `:read_operations`, `:write_operations` | none |
  | `:cgroup_path` | where to make it, below the root of each hierarchy: `"jobs/one"` | below the port program's |
  | `:cgroup_base` | the same, with a last name that is made up | |
  | `:cgroup_controllers` | besides those of the limits: `["cpuset"]` | `[]` |
  | `:cgroup_sets` | `{controller, key, value}`, as the kernel has them: `[{"cpu", "cpu.weight", "50"}]` | `[]` |

  ## Its start

  | option | value | default |
  |---|---|---|
  | `:ready` | when it counts as started: a check of `Penning.Readiness` | at once |
  | `:start_timeout` | milliseconds until then, or `:infinity`; the process is killed after it | `:infinity` |
  | `:port` | the `Penning.Port` process to use, of this node: a pid or a name | `Penning.Port` |

  What has keys is a keyword list or a map. Whether a user, a file or a limit can be had, only the
  port program knows: what it refuses raises `ArgumentError` as well, before anything is started,
  and what the kernel refuses it (a limit above its own, say) is an `{:error, posix}`.
  """

  alias Penning.{OptionValues, PortOption}

  @wire [:env | OptionValues.names(:open)]
  @adopt OptionValues.names(:adopt)
  @later [:stderr_to_stdout, :capture_stderr_only, :parallelism]

  @window 65_536
  @limit 16 * 1024 * 1024
  @max_ms 4_294_967_295

  defstruct [:program, :args, :os_pid, wire: %{}] ++
              [stdin_window: @window, stdin_limit: @limit] ++
              [start_timeout: :infinity, port: Penning.Port]

  @typedoc """
  `wire` are the options as the port program wants them; either a program or an `os_pid` is set.
  """
  @type t :: %__MODULE__{
          program: binary | nil,
          args: [binary] | nil,
          os_pid: pos_integer | nil,
          wire: %{optional(atom) => term},
          stdin_window: pos_integer,
          stdin_limit: non_neg_integer,
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

      iex> Penning.Options.new!("cat", [], pty: [rows: "24"])
      ** (ArgumentError) invalid option :pty with value [rows: "24"]: rows: expected an integer of 0 or more

      iex> Penning.Options.new!("cat", [], parallelism: true)
      ** (ArgumentError) option :parallelism (value true) is not supported by this version of penning

      iex> Penning.Options.new!("cat", [], colour: :red)
      ** (ArgumentError) unknown option :colour with value :red

      iex> Penning.Options.new!("cat", ["a\\0b"], [])
      ** (ArgumentError) invalid argument "a\\0b" of "cat": it contains a NUL byte
  """
  @spec new!(term, term, term) :: t
  def new!(program, args, opts) do
    options = %__MODULE__{program: program!(program), args: args!(args, program)}
    opts |> keyword!() |> Enum.reduce(options, &put!(&1, &2, @wire)) |> with_stdin()
  end

  @doc """
  The same for an OS process that something else has started.

      iex> Penning.Options.adopt!(1234, stop_signal: "INT") |> Penning.Options.request()
      {:adopt, 1234, %{stop_signal: "INT"}}

      iex> Penning.Options.adopt!(0, [])
      ** (ArgumentError) invalid option :os_pid with value 0: expected the pid of a process

      iex> Penning.Options.adopt!(1234, cd: "/")
      ** (ArgumentError) unknown option :cd with value "/"
  """
  @spec adopt!(term, term) :: t
  def adopt!(os_pid, opts) do
    if not (is_integer(os_pid) and os_pid in 1..0x7FFF_FFFF),
      do: bad!(:os_pid, os_pid, "expected the pid of a process")

    opts |> keyword!() |> Enum.reduce(%__MODULE__{os_pid: os_pid}, &put!(&1, &2, @adopt))
  end

  @doc "What the port program is asked for."
  @spec request(t) :: Penning.Protocol.request()
  def request(%{os_pid: nil} = options),
    do: {:open, options.program, options.args, options.wire}

  def request(options), do: {:adopt, options.os_pid, options.wire}

  defp with_stdin(%{wire: wire} = options) do
    window = wire[:stdin_window] || wire[:stdio_window] || @window
    %{options | stdin_window: window, stdin_limit: wire[:stdin_limit] || @limit}
  end

  @doc """
  The words for a `bad_option` that only the port program could find (a missing directory, say).

  The value is the one that was given, if there was one: the port program may spell it its own
  way.

      iex> options = Penning.Options.new!("cat", [], cd: "/nowhere")
      iex> Penning.Options.complaint(options, :cd, "its own way", "no such directory")
      "invalid option :cd with value \\"/nowhere\\": no such directory"

  Of an inner value the port program tells the path to it.

      iex> options = Penning.Options.new!("cat", [], pty: [rows: 70_000])
      iex> Penning.Options.complaint(options, :"pty.rows", "70000", "must be from 0 to 65535")
      "invalid option :pty with value [rows: 70000]: rows: must be from 0 to 65535"
  """
  @spec complaint(t, term, term, term) :: String.t()
  def complaint(options, name, value, text) do
    [root | inner] = name |> to_string() |> String.split(".", parts: 2)
    given = Map.take(options, [:program, :args, :os_pid])
    name = Enum.find(Map.keys(given) ++ @wire, name, &(to_string(&1) == root))
    known = Map.merge(options.wire, given)
    complaint(name, Map.get(known, name, value), Enum.join(inner ++ [text(text)], ": "))
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

  defp put!({:port, port}, options, _wire),
    do: %{options | port: PortOption.check_local!(port)}

  defp put!({:start_timeout, time}, options, @wire) do
    if time == :infinity or (is_integer(time) and time in 0..@max_ms),
      do: %{options | start_timeout: time},
      else: bad!(:start_timeout, time, "expected milliseconds, 0 to #{@max_ms}, or :infinity")
  end

  defp put!({name, value} = option, options, wire) do
    cond do
      name in wire ->
        %{options | wire: Map.put(options.wire, name, value!(option))}

      name in @later ->
        raise ArgumentError,
              "option #{inspect(name)} (value #{inspect(value)}) is not supported by this version of penning"

      true ->
        raise ArgumentError, "unknown option #{inspect(name)} with value #{inspect(value)}"
    end
  end

  defp value!({:env, env}), do: Enum.map(pairs!(env), &variable!/1)

  defp value!({name, value}) do
    case OptionValues.wire(name, value) do
      {:ok, wire} -> wire
      {:error, text} -> bad!(name, value, text)
    end
  end

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
end
