defmodule Penning.Daemon do
  @moduledoc """
  A program under a supervisor whose output goes to Logger, line by line.

      children = [
        {Penning.Daemon, {"redis-server", ["--port", "7777"], name: MyApp.Redis, log_prefix: "redis: "}}
      ]

  It is a `Penning.start_link/5` with a callback module that is written already: it ends when its
  program does, with the reason that `Penning` has for it (`:normal` for status 0, `{:exit_status, 3}`),
  and its supervisor waits until the program is gone. `Penning.command/2`, `Penning.signal/2`,
  `Penning.info/1` and the others work on it.

  | option | value | default |
  |---|---|---|
  | `:log_output` | the level at which stdout is logged, or `false` | `:info` |
  | `:log_stderr` | the same of stderr | `:warning` |
  | `:log_prefix` | what is put before each line, a binary | `""` |
  | `:log_transform` | a function of a line, without its end, that returns what is logged | makes it valid UTF-8 |

  and those of `Penning.start_link/5`, `:name` for one. Lines are those of `:stdout_delivery` and
  `:stderr_delivery`; unless they are set, a line that is longer than 8000 bytes is logged in pieces,
  since Logger cuts at 8096. The metadata `child` is the name, or the program.

  A transform that fails ends the daemon, as any callback that crashes. Output that Logger cannot
  take as fast as it comes slows the program down.
  """

  use GenServer
  @behaviour Penning

  require Logger

  @own [:log_output, :log_stderr, :log_prefix, :log_transform]
  @levels [:emergency, :alert, :critical, :error, :warning, :notice, :info, :debug, false]
  @delivery [max_length: 8000]

  defstruct [:child, log_output: :info, log_stderr: :warning, log_prefix: "", log_transform: nil] ++
              [stdout_bytes: 0, stdout_lines: 0, stderr_bytes: 0, stderr_lines: 0]

  @type option ::
          {:log_output | :log_stderr, Logger.level() | false}
          | {:log_prefix, binary}
          | {:log_transform, (binary -> binary)}

  @typedoc """
  What it has written so far. The newline that ends a line counts as a byte; a piece of a long line
  counts as a line.
  """
  @type statistics :: %{
          stdout_bytes: non_neg_integer,
          stdout_lines: non_neg_integer,
          stderr_bytes: non_neg_integer,
          stderr_lines: non_neg_integer
        }

  @doc """
  Starts the program, linked to the caller.

  Errors are those of `Penning.start_link/5`. A bad option raises `ArgumentError`.

      iex> Penning.Daemon.start_link("cat", [], log_output: :loud)
      ** (ArgumentError) invalid option :log_output with value :loud: expected a level of Logger or false
  """
  @spec start_link(binary, [binary], [option | Penning.option() | GenServer.option()]) ::
          GenServer.on_start()
  def start_link(program, args \\ [], opts \\ []) do
    {own, opts} = split!(opts, program)
    Penning.start_link(__MODULE__, program, args, own, opts)
  end

  @doc """
  The specification for a supervisor. Its id is the `:name`, or this module.

      iex> Penning.Daemon.child_spec({"sleep", ["60"]}).start
      {Penning.Daemon, :start_link, ["sleep", ["60"], []]}
      iex> Penning.Daemon.child_spec({"sleep", ["60"], name: :sleeper}).id
      :sleeper
  """
  @spec child_spec({binary, [binary]} | {binary, [binary], keyword}) :: Supervisor.child_spec()
  def child_spec({program, args}), do: child_spec({program, args, []})

  def child_spec({program, args, opts}) do
    id = Keyword.get(opts, :name, __MODULE__)
    %{id: id, start: {__MODULE__, :start_link, [program, args, opts]}}
  end

  @doc "The pid of its OS process."
  @spec os_pid(GenServer.server()) :: pos_integer | nil
  defdelegate os_pid(daemon), to: Penning

  @doc "How much it has written."
  @spec statistics(GenServer.server()) :: statistics
  def statistics(daemon), do: GenServer.call(daemon, :statistics)

  defp split!(opts, program) do
    if Keyword.keyword?(opts) do
      {own, rest} = Keyword.split(opts, @own)
      Enum.each(own, &check!/1)
      rest = Keyword.merge([stdout_delivery: @delivery, stderr_delivery: @delivery], rest)
      {struct!(%__MODULE__{child: Keyword.get(opts, :name, program)}, own), rest}
    else
      {%__MODULE__{}, opts}
    end
  end

  defp check!({name, level}) when name in [:log_output, :log_stderr] do
    if level not in @levels, do: bad!(name, level, "a level of Logger or false")
  end

  defp check!({:log_prefix, prefix}) do
    if not is_binary(prefix), do: bad!(:log_prefix, prefix, "a binary")
  end

  defp check!({:log_transform, fun}) do
    if not is_function(fun, 1), do: bad!(:log_transform, fun, "a function of a line")
  end

  defp bad!(name, value, text) do
    raise ArgumentError,
          "invalid option #{inspect(name)} with value #{inspect(value)}: expected #{text}"
  end

  @impl GenServer
  def init(state), do: {:ok, state}

  @impl Penning
  def handle_stdout(output, state) do
    log(output, state.log_output, state)
    {:noreply, count(state, :stdout_bytes, :stdout_lines, output)}
  end

  @impl Penning
  def handle_stderr(output, state) do
    log(output, state.log_stderr, state)
    {:noreply, count(state, :stderr_bytes, :stderr_lines, output)}
  end

  @impl GenServer
  def handle_call(:statistics, _from, state) do
    keys = [:stdout_bytes, :stdout_lines, :stderr_bytes, :stderr_lines]
    {:reply, Map.take(state, keys), state}
  end

  defp log(_output, false, _state), do: :ok

  defp log(output, level, state) do
    transform = state.log_transform || (&printable/1)
    line = output |> line() |> String.trim_trailing("\r") |> transform.()
    Logger.log(level, [state.log_prefix, line], child: state.child)
  end

  defp count(state, bytes, lines, output) do
    state
    |> Map.update!(bytes, &(&1 + byte_size(line(output)) + newline(output)))
    |> Map.update!(lines, &(&1 + 1))
  end

  defp line({_eol_or_noeol, line}), do: line
  defp line(bytes), do: bytes

  defp newline({:eol, _}), do: 1
  defp newline(_), do: 0

  defp printable(line) do
    if String.valid?(line),
      do: line,
      else:
        line |> String.chunk(:valid) |> Enum.map_join(&if(String.valid?(&1), do: &1, else: "�"))
  end
end
