defmodule Penning do
  @moduledoc """
  OS processes and C++ actors that an Elixir process can send to, link, monitor, call and
  supervise.

  One port program, penningd, carries all of them. Nothing that it starts outlives its owner, the
  application or the BEAM.

  ## Opened by a process

  `open/3` starts an OS process. The caller becomes its owner, is linked to it, and receives what
  it writes:

      {:ok, ps} = Penning.open("cat", [])
      send(ps, {self(), {:command, "hello"}})

      receive do
        {^ps, {:data, data}} -> IO.puts("Got: \#{data}")
      end

      send(ps, {self(), :close})

  To it, from its owner (from anybody else they are ignored):

  | message | function | meaning |
  |---|---|---|
  | `{pid, {:command, iodata}}` | `command/2` | bytes for stdin |
  | `{pid, :close_stdin}` | `close_stdin/1` | end of file for stdin, after all that was sent |
  | `{pid, :close}` | `close/1` | stop it: SIGTERM, and SIGKILL after `:delay_to_sigkill` |
  | `{pid, {:connect, new}}` | `connect/2` | `new` is the owner from now on |

  Besides, anybody may use `signal/2`, `window_size/3`, `os_pid/1` and `info/1`.

  From it, to its owner:

  | message | meaning |
  |---|---|
  | `{ps, {:data, binary}}` | stdout |
  | `{ps, {:error, binary}}` | stderr |
  | `{ps, {:data, {:eol, binary}}}`, `{:noeol, binary}` | a line or a piece of one, where `:stdout_delivery` asks for lines or records; `:error` likewise |
  | `{ps, {:stdin_busy, bytes}}` | more than a window waits to be taken: hold back |
  | `{ps, :stdin_ready}` | no more than half a window does |
  | `{ps, {:stdin_refused, bytes, reason}}` | a command was not taken: `:eagain`, more than `:stdin_limit` or 65,536 commands would wait; `:epipe`, nothing more is taken |
  | `{ps, {:stdin_closed, reason}}` | it reads no more, so what waited is lost; `:epipe`, `:eio` of a terminal, `:ebadf` where stdin is not the owner's |
  | `{ps, {:exited, os_pid, how, usage}}` | how it ended: `{:status, n}` or `{:signal, n, core_dumped?}`; a map of `:user` and `:system` (microseconds), `:max_rss` (KiB), `:oom_killed` |
  | `{ps, :closed}` | answer to `:close`: its processes are gone |
  | `{ps, :connected}` | answer to `:connect`, to the owner of before |
  | `{:EXIT, ps, reason}` | its end, once, to an owner that traps exits |

  All that the process wrote comes before its end, in order per stream, and its end comes when it
  and all that it left are gone. Only where they are kept (`orphans: :keep`) may output come after
  `:exited`: what they write.

  The link is a link as any other: an owner that does not trap exits ends with a process that ends
  abnormally (`exit 1`, say). Only the `:shutdown` that it asked for with `:close` spares it.

  ## With a callback module

  `start_link/5` runs a module under a supervisor. It has GenServer's callbacks, and those of
  this module:

      defmodule MyWorker do
        use GenServer
        @behaviour Penning

        def start_link(args), do: Penning.start_link(__MODULE__, "my_command", [], args)

        @impl GenServer
        def init(args), do: {:ok, %{buffer: "", args: args}}

        @impl Penning
        def handle_stdout(data, state), do: {:noreply, %{state | buffer: state.buffer <> data}}

        @impl Penning
        def handle_stderr(data, state) do
          IO.puts(:stderr, data)
          {:noreply, state}
        end

        @impl Penning
        def handle_exit(reason, state), do: {:stop, reason, state}
      end

      Supervisor.start_link([{MyWorker, [some: :args]}], strategy: :one_for_one)

  `command(self(), data)`, `close_stdin(self())`, `close(self())`, and those that ask (`info(self())`
  and so on) work in its callbacks; any process may send it the messages above. Lines come to
  `handle_stdout/2` as `{:eol, binary}`. It traps exits. When its supervisor stops it, the supervisor
  waits until its OS process is gone.

  ## When it is up

  A server that has been started does not serve yet. With `:ready` a start returns only once a check
  has passed, a port that accepts connections, say (`Penning.Readiness`):

      Penning.open("redis-server", ["--port", "7777"],
        ready: {:tcp, "127.0.0.1", 7777},
        start_timeout: 5_000
      )

  What it writes until then is kept, and handed over when the start has succeeded. More than 16 MiB
  are not: from then on the process has to wait before it writes on.

  A program that has only to run, and to have its output in the log, is a `Penning.Daemon`. Several
  servers that belong together, with back-off and an order of start, run under a
  `Penning.Supervisor`.

  ## How it ended

  | reason | what happened |
  |---|---|
  | `:normal` | status 0 |
  | `{:exit_status, n}` | another status |
  | `{:signal, n}` | a signal, not ours |
  | `:shutdown` | stopped on request, whichever signal it took |
  | `:killed` | killed on request |
  | `:noconnection` | the port program has ended, and its children with it |

  ## Flow

  At most `:stdio_window` bytes of each stream are on their way to the BEAM. A callback module
  gives them back when its callback returns: if it is slow, its program waits. With `open/3` they
  are given back when they are in the owner's mailbox, as with Elixir's ports, so the mailbox of
  an owner that is slower than its program grows; take a callback module there, or `stream!/3`, which
  gives them back as they are taken.

  Input beyond the window waits in the process `ps` until the program reads, up to `:stdin_limit`
  bytes.

  ## To its end

      {:ok, %{how: {:status, 0}, out: "Linux\\n"}} = Penning.run("uname")

  `run/3` is `System.cmd/3` with all options of a process, input, a deadline and a bound.

  Or as a stream, of which no more is read than is taken:

      Penning.stream!("journalctl", ["-f"], stdout_delivery: :lines)
      |> Stream.filter(&match?({:eol, "error" <> _}, &1))
      |> Enum.take(10)

  ## Metrics

  `Penning.Telemetry` tells of each start and each end, with durations and usage.

  ## C++ actors

      pid = Penning.whereis("counter")
      GenServer.call(pid, {:add, 1})
      Process.monitor(pid)

  `pid` is a local process that stands for an actor which the port program has published: see
  `whereis/2`, `Penning.Port`, and `Penning.Actor`, which also puts one under a supervisor. Actors that
  are named in messages and replies are such pids as well. The other way round, a C++ actor that gets a
  pid of a process can send to it, call it, link and monitor it.
  """

  alias Penning.{Error, Executable, Options, OwnChild, PortOption, Proxy, Run, Worker}

  @typedoc "See `Penning.Options`."
  @type option ::
          {:cd, binary}
          | {:env, Enumerable.t()}
          | {:clear_env, boolean}
          | {:arg0, binary}
          | {:umask, non_neg_integer}
          | {:nice, -20..19}
          | {:rlimits, fields(rlimit | {rlimit, rlimit})}
          | {:session, boolean}
          | {:uid, account}
          | {:gid, account}
          | {:groups, [account]}
          | {:allow_root, boolean}
          | {:capabilities, {:keep | :drop, [name]} | fields([name])}
          | {:no_new_privs, boolean}
          | {:stdin, target}
          | {:stdout, target}
          | {:stderr, target | :stdout}
          | {:stdio_window, pos_integer}
          | {:stdin_window, pos_integer}
          | {:stdout_window, pos_integer}
          | {:stderr_window, pos_integer}
          | {:stdin_limit, non_neg_integer}
          | {:stdout_delivery, delivery}
          | {:stderr_delivery, delivery}
          | {:stop_signal, pos_integer | binary | atom}
          | {:stop_command, [binary]}
          | {:pty, boolean | fields(non_neg_integer | fields(non_neg_integer | boolean))}
          | {:delay_to_sigkill, non_neg_integer}
          | {:success_exit_codes, [0..255]}
          | {:orphans, :kill | :keep}
          | {:pid_namespace, boolean}
          | {:require_containment, :process_group | :subreaper | :cgroup | :pid_namespace}
          | {:limits, fields(number | [fields(binary | non_neg_integer)])}
          | {:cgroup_path, binary}
          | {:cgroup_base, binary}
          | {:cgroup_controllers, [name]}
          | {:cgroup_sets, [{name, name, name}]}
          | {:ready, Penning.Readiness.t()}
          | {:start_timeout, timeout}
          | {:port, GenServer.server()}

  @type run_option ::
          {:input, iodata} | {:max_output, non_neg_integer} | {:timeout, timeout}

  @type stream_option ::
          {:input, iodata | Enumerable.t()} | {:tagged, boolean} | {:exit, :raise | :element}

  @typedoc "What a name stands for, in a keyword list, a list of pairs or a map."
  @type fields(value) :: [{name, value}] | %{optional(name) => value}

  @type name :: binary | atom
  @type rlimit :: non_neg_integer | :infinity

  @typedoc "A user or a group: its number or its name."
  @type account :: non_neg_integer | name

  @typedoc "Where a stream goes to, or comes from."
  @type target ::
          :owner | :null | :closed | {:file, binary} | fields(binary | boolean | non_neg_integer)

  @typedoc "How output comes: as it is written, by lines, or by records."
  @type delivery :: :bytes | :lines | fields(binary | pos_integer)

  @typedoc "A signal: its number or its name, `:hup`, `\"SIGHUP\"`."
  @type signal :: pos_integer | name

  @typedoc "A published C++ actor: its name, or its pid from `whereis/2`."
  @type actor :: pid | binary | atom

  @type noreply(state) ::
          {:noreply, state}
          | {:noreply, state, timeout | :hibernate | {:continue, term}}
          | {:stop, reason :: term, state}

  @doc "The program wrote to stdout. The bytes count as consumed when this returns."
  @callback handle_stdout(data :: Penning.Protocol.output(), state :: term) :: noreply(term)

  @doc "The program wrote to stderr."
  @callback handle_stderr(data :: Penning.Protocol.output(), state :: term) :: noreply(term)

  @doc """
  What becomes of stdin: `{:stdin_busy, bytes}`, `:stdin_ready`, `{:stdin_refused, bytes, reason}`,
  `{:stdin_closed, reason}`, as an owner is told. Without it only what is refused is told, to Logger.
  """
  @callback handle_stdin(notice :: term, state :: term) :: noreply(term)

  @doc """
  The program has ended by itself, or after `close/1`; its processes are gone. Without it, the
  process stops with the reason.

  Not called when the process itself is stopped, by its supervisor for one: that is `terminate/2`.
  """
  @callback handle_exit(reason :: term, state :: term) :: {:stop, reason :: term, state :: term}

  @optional_callbacks handle_stdout: 2, handle_stderr: 2, handle_stdin: 2, handle_exit: 2

  @doc """
  Starts an OS process. The caller becomes its owner.

  Options: `t:option/0`, explained in `Penning.Options`. A bad one raises `ArgumentError`, naming
  option and value, before anything is started.

  Errors: `{:error, :enoent}` where there is no such program, `{:error, :eacces}` where it must
  not be executed, other POSIX errors alike; `{:error, %Penning.Error{}}` without a port program.
  With `:ready` also its exit reason, if it ends before, `{:error, {:not_ready, {posix, text}}}` if
  its check never can pass (a command that is missing, say), and `{:error, :timeout}` after
  `:start_timeout`; the process is gone then.

      {:ok, ps} = Penning.open("echo", ["hello"])

      receive do
        {^ps, {:data, "hello\\n"}} -> :ok
      end
  """
  @spec open(binary, [binary], [option]) :: {:ok, pid} | {:error, term}
  def open(program, args \\ [], opts \\ []) do
    Options.new!(program, args, opts) |> Proxy.start(self()) |> started()
  end

  @doc """
  Starts an OS process with a callback module, linked to the caller.

  Besides the options of `open/3` it takes those of `GenServer.start_link/3`: `:name`, `:timeout`,
  `:debug`, `:spawn_opt`, `:hibernate_after`. Errors are those of `open/3`, and what `init/1`
  returns.
  """
  @spec start_link(module, binary, [binary], term, [option | GenServer.option()]) ::
          GenServer.on_start()
  def start_link(module, program, args, init_arg, opts \\ []) do
    if not is_atom(module),
      do: raise(ArgumentError, "invalid callback module #{inspect(module)}")

    {genserver, opts} = split(opts)
    options = Options.new!(program, args, opts)
    Worker.start_link(module, options, init_arg, genserver) |> started()
  end

  defp split(opts) do
    if Keyword.keyword?(opts),
      do: Keyword.split(opts, [:name, :timeout, :debug, :spawn_opt, :hibernate_after]),
      else: {[], opts}
  end

  # A mistake that only the port program could find: as loud as the ones found here.
  defp started({:error, {:bad_option, text}}), do: raise(ArgumentError, text)
  defp started(result), do: result

  @doc """
  The specification of a callback module and its program, without a `start_link/1` of its own.

      children = [{Penning, {MyWorker, "my_command", ["--flag"], :init_arg, name: MyWorker}}]

      iex> Penning.child_spec({MyWorker, "sleep", ["60"], :arg}).start
      {Penning, :start_link, [MyWorker, "sleep", ["60"], :arg, []]}

  Its id is the `:name`, or the module.
  """
  @spec child_spec({module, binary, [binary], term} | {module, binary, [binary], term, keyword}) ::
          Supervisor.child_spec()
  def child_spec({module, program, args, init_arg}),
    do: child_spec({module, program, args, init_arg, []})

  def child_spec({module, program, args, init_arg, opts}) do
    %{
      id: Keyword.get(opts, :name, module),
      start: {__MODULE__, :start_link, [module, program, args, init_arg, opts]}
    }
  end

  @doc """
  Sends bytes to stdin, as `send(ps, {self(), {:command, iodata}})`.

  Returns at once; what the program does not read yet, waits.
  """
  @spec command(GenServer.server(), iodata) :: :ok
  def command(ps, iodata) do
    # Here and not in the other process, where it would be too late to say whose mistake it is.
    _ = IO.iodata_length(iodata)
    tell(ps, {:command, iodata})
  end

  @doc "End of file for stdin, after all that was sent. Output goes on."
  @spec close_stdin(GenServer.server()) :: :ok
  def close_stdin(ps), do: tell(ps, :close_stdin)

  @doc """
  Stops the OS process, as `send(ps, {self(), :close})`.

  The caller receives `{ps, :closed}` when its processes are gone.
  """
  @spec close(GenServer.server()) :: :ok
  def close(ps), do: tell(ps, :close)

  @doc """
  Makes another process the owner, as `send(ps, {self(), {:connect, new}})`.

  The caller receives `{ps, :connected}` and is linked no more; all that comes from then on goes
  to the new owner, which is linked now.
  """
  @spec connect(GenServer.server(), pid) :: :ok
  def connect(ps, new_owner) when is_pid(new_owner), do: tell(ps, {:connect, new_owner})

  defp tell(ps, request) do
    with pid when pid != nil <- GenServer.whereis(ps), do: send(pid, {self(), request})
    :ok
  end

  @doc """
  Runs a command to its end: its exit status, and what it wrote to both streams.

      {:ok, %{how: {:status, 0}, out: "HELLO", err: ""}} =
        Penning.run("tr", ["a-z", "A-Z"], input: "hello")

  | option | value | default |
  |---|---|---|
  | `:input` | iodata for stdin; end of file comes after it | none |
  | `:max_output` | bytes that are kept of each stream; more is read and dropped, and `:truncated` says so | 16 MiB |
  | `:timeout` | milliseconds from its start; then it is stopped, and `:timed_out` says so | `:infinity` |

  and those of `open/3`; `:ready` and the deliveries count for nothing. Errors are those of `open/3`,
  and `:noconnection` if the port program ends. A caller that ends takes the command with it.
  """
  @spec run(binary, [binary], [option | run_option]) :: {:ok, Run.result()} | {:error, term}
  def run(program, args \\ [], opts \\ []) do
    {own, opts} = Run.split!(opts)
    Options.new!(program, args, opts) |> Run.run(own) |> started()
  end

  @doc """
  A command's stdout as a lazy stream: an enumerable of what it writes, started when it is
  enumerated.

      iex> Penning.stream!("sh", ["-c", "echo one; echo two"], stdout_delivery: :lines) |> Enum.to_list()
      [eol: "one", eol: "two"]

      iex> Penning.stream!("yes") |> Enum.take(1) |> hd() |> binary_part(0, 2)
      "y\\n"

      iex> Penning.stream!("tr", ["a-z", "A-Z"], input: Stream.map(1..3, &"number \#{&1}\\n")) |> Enum.join()
      "NUMBER 1\\nNUMBER 2\\nNUMBER 3\\n"

  The program waits while nobody takes: at most a window (`:stdout_window`) is on its way. When the
  enumeration halts, it is stopped and the halt returns when its processes are gone; the same happens
  when the process that enumerates ends, whatever it dies of.

  The elements are binaries as they come, or as `:stdout_delivery` has them.

  | option | value | default |
  |---|---|---|
  | `:input` | iodata for stdin, or an enumerable of iodata, which a process of its own enumerates as the program reads; end of file comes after it | none |
  | `:tagged` | whether the elements are `{:stdout, output}` and `{:stderr, output}` | `false`: only stdout |
  | `:exit` | `:raise`, or `:element`: the last element is `{:exited, os_pid, how, usage}`, whatever the end | `:raise` |

  and those of `open/3`; `:ready` and `:stdin_limit` count for nothing. A program that does not read
  its input to the end is no error: the rest of it is halted.

  Raises `ArgumentError` for a bad option at once; when it is enumerated, `Penning.CommandError` for a
  program that cannot be started, and after its last output for one that ends with another reason than
  `:normal`, with the last that it wrote to stderr; `Penning.Error` without a port program; and what
  the enumerable of the input raises.

      iex> Penning.stream!("sh", ["-c", "echo sorry >&2; exit 3"]) |> Enum.to_list()
      ** (Penning.CommandError) "sh" ended with status 3: sorry

      iex> Penning.stream!("sh", ["-c", "echo out; exit 3"], exit: :element) |> Enum.map(&is_tuple/1)
      [false, true]
  """
  @spec stream!(binary, [binary], [option | stream_option]) :: Enumerable.t()
  def stream!(program, args \\ [], opts \\ []) do
    {own, opts} = Penning.Stream.split!(opts)
    Options.new!(program, args, opts) |> Penning.Stream.new(own)
  end

  @doc """
  Takes over an OS process that something else has started, one of a pid file, say.

  It is what `open/3` returns, but has no streams: when it or its owner ends, so does the process,
  by its stop signal, then SIGKILL, through a pidfd to that process alone. How it ended can be known
  only of a child of the port program; of another it is `{:signal, 0, false}`. Nothing stops it when
  the port program itself is killed.

  Options: `:stop_signal`, `:delay_to_sigkill` and `:success_exit_codes` as in `Penning.Options`;
  `:start_time`, field 22 of /proc/PID/stat: a process that started at another time has only got the
  same pid, and is not meant; `:port`.

  Errors: `{:error, :esrch}` if there is no such process.
  """
  @spec adopt(pos_integer, keyword) :: {:ok, pid} | {:error, term}
  def adopt(os_pid, opts \\ []),
    do: Options.adopt!(os_pid, opts) |> Proxy.start(self()) |> started()

  @doc "The pid of the OS process itself; `nil` after its end."
  @spec os_pid(GenServer.server()) :: pos_integer | nil
  def os_pid(ps) do
    case ask(ps, :os_pid) do
      {:ok, os_pid} -> os_pid
      {:error, _ended} -> nil
    end
  end

  @doc """
  Sends the OS process itself, not its group, a signal.

      :ok = Penning.signal(ps, :hup)

  Errors: `{:bad_signal, signal}`, `:esrch` and `:noproc` after its end.
  """
  @spec signal(GenServer.server(), signal) :: :ok | {:error, term}
  def signal(ps, signal) do
    if signal?(signal),
      do: order(ps, {:signal, signal}),
      else: {:error, {:bad_signal, signal}}
  end

  # What is nothing of the kind stays here: a term that is too deep or too long for a frame would
  # have no answer.
  defp signal?(signal) when is_binary(signal), do: byte_size(signal) <= 64
  defp signal?(signal), do: is_atom(signal) or signal in 1..64

  @doc """
  The new size of its terminal, in characters; the process gets SIGWINCH.

  Errors: `:enotty` if it has none, `:esrch` and `:noproc` after its end. Raises `ArgumentError` for
  what is not from 0 to 65535.
  """
  @spec window_size(GenServer.server(), 0..65_535, 0..65_535) :: :ok | {:error, term}
  def window_size(ps, rows, columns) do
    for {name, value} <- [rows: rows, columns: columns], value not in 0..65_535 do
      raise ArgumentError,
            "invalid #{name} #{inspect(value)}: expected an integer from 0 to 65535"
    end

    order(ps, {:window_size, rows, columns})
  end

  defp order(ps, order) do
    with {:ok, :ok} <- ask(ps, order), do: :ok
  end

  @doc """
  How an OS process is: a map.

  | key | value |
  |---|---|
  | `:state` | `:starting`, `:running`, `:stopping`, `:killing`, `:draining` |
  | `:os_pid` | 0 before the start and after the end |
  | `:uptime` | milliseconds |
  | `:stdin_bytes`, `:stdin_queued` | that it has taken; that wait in the port program for it to take them |
  | `:stdout_bytes`, `:stderr_bytes` | that it wrote, as far as they have been read |
  | `:containment` | how its processes are kept from outliving it |
  | `:restarts` | how often its supervisor, a `Penning.Supervisor`, has started it again |
  | `:usage` | `:user`, `:system` (microseconds), `:max_rss` (KiB), `:oom_killed` |
  | `:cgroup` | what its control group uses, as far as the kernel counts it: `:memory`, `:memory_peak` (bytes), `:user`, `:system` (microseconds), `:pids`, `:oom_kills` |

  `{:error, :noproc}` after its end.
  """
  @spec info(GenServer.server()) :: {:ok, map} | {:error, term}
  def info(ps), do: ask(ps, :info)

  defp ask(ps, request) do
    if GenServer.whereis(ps) == self(),
      do: OwnChild.ask(request),
      else: GenServer.call(ps, {:"$penning", request})
  catch
    :exit, {:timeout, _} = reason -> exit(reason)
    :exit, _ended -> {:error, :noproc}
  end

  @doc """
  The local process that stands for a published C++ actor; `nil` for none of this name.

  `GenServer.call/3`, `send/2` and `Process.monitor/1` work on it. It ends with the actor's
  reason, or with `:noconnection`.

  Options: `:port`, the `Penning.Port` of the program that published it; of another node as well,
  and then so is the pid. Raises `Penning.Error` without a port program.
  """
  @spec whereis(binary | atom, port: GenServer.server()) :: pid | nil
  def whereis(name, opts \\ []) when is_binary(name) or is_atom(name) do
    opts = Keyword.validate!(opts, port: Penning.Port)

    case opts[:port] |> PortOption.check!() |> Penning.Port.whereis(name) do
      {:ok, pid} ->
        pid

      {:error, :not_found} ->
        nil

      {:error, %Error{} = error} ->
        raise error

      {:error, reason} ->
        raise ArgumentError, "cannot look for #{inspect(name)}: #{inspect(reason)}"
    end
  end

  @doc """
  A request to a C++ actor: what it answers, or `{:error, reason}`.

  Exits as `GenServer.call/3` does: where there is no such actor, where it ends before it answers,
  after `timeout`.
  """
  @spec call(actor, term, timeout) :: term
  def call(actor, message, timeout \\ 5_000)

  def call(actor, message, timeout) when is_pid(actor),
    do: GenServer.call(actor, message, timeout)

  def call(name, message, timeout) do
    case whereis(name) do
      nil -> exit({:noproc, {__MODULE__, :call, [name, message, timeout]}})
      pid -> GenServer.call(pid, message, timeout)
    end
  end

  @doc "A message to a C++ actor. Nothing happens where there is none of this name."
  @spec cast(actor, term) :: :ok
  def cast(actor, message) when is_pid(actor), do: GenServer.cast(actor, message)

  def cast(name, message) do
    with pid when pid != nil <- whereis(name), do: GenServer.cast(pid, message)
    :ok
  end

  @doc """
  The absolute path of penningd: from `config :penning, executable: path`, else from the
  environment variable `PENNINGD`, else from PATH.

  Raises `Penning.Error`, which says how to get it, where there is none.
  """
  @spec executable_path() :: Path.t()
  def executable_path do
    case Executable.find() do
      {:ok, path} -> path
      {:error, error} -> raise error
    end
  end
end
