defmodule Penning.TelemetryTest do
  # Handlers hear of everybody's processes.
  use Penning.Case, async: false

  import ExUnit.CaptureLog

  alias Penning.{Telemetry, TestWorker}

  doctest Telemetry

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  # Of what an earlier test has left there may be events as well: the last argument tells ours.
  @mark "#{__MODULE__}"

  defp listen(events \\ Telemetry.events()) do
    id = make_ref()
    on_exit(fn -> Telemetry.detach(id) end)
    :ok = Telemetry.attach(id, events, &__MODULE__.tell/4, self())
    id
  end

  def tell(event, measurements, metadata, test) do
    if Enum.at(event, 1) == :port or @mark in List.wrap(metadata.args),
      do: send(test, {:event, event, measurements, metadata})
  end

  def tell_of(event, _measurements, %{os_pid: os_pid}, {test, os_pid}),
    do: send(test, {:event_of, os_pid, event})

  def tell_of(_event, _measurements, _metadata, _), do: :ok

  defp heard_no_more, do: refute_received({:event, [:penning, :process, _], _, _})

  test "a process has its start and its exit, once each" do
    listen()
    {:ok, ps} = Penning.open("sh", ["-c", "cat; echo bad >&2; exit 3", @mark])
    os_pid = Penning.os_pid(ps)
    Penning.command(ps, "hello")
    Penning.close_stdin(ps)
    assert {"hello", "bad\n", {:exit_status, 3}} = collect(ps)

    assert_receive {:event, [:penning, :process, :start], %{duration: duration}, started}
    assert started == %{pid: ps, os_pid: os_pid, program: "sh", args: started.args}
    assert duration > 0

    assert_receive {:event, [:penning, :process, :exit], measurements, ended}
    assert %{stdin_bytes: 5, stdout_bytes: 5, stderr_bytes: 4, max_rss: _, user: _} = measurements
    assert measurements.duration > 0
    assert ended == Map.merge(started, %{reason: {:exit_status, 3}, how: {:status, 3}})
    heard_no_more()
  end

  test "so has one of a callback module, of run, of stream!, and one that is adopted" do
    listen()
    {:ok, pid} = TestWorker.start_link({"sh", ["-c", "exec cat", @mark], self(), []})
    GenServer.stop(pid)
    assert_receive {:event, [:penning, :process, :start], _, %{pid: ^pid}}
    assert_receive {:event, [:penning, :process, :exit], _, %{pid: ^pid, reason: :shutdown}}

    {:ok, _} = Penning.run("true", [@mark])
    assert_receive {:event, [:penning, :process, :start], _, %{program: "true"}}
    assert_receive {:event, [:penning, :process, :exit], _, %{program: "true", reason: :normal}}

    Penning.stream!("yes", [@mark]) |> Enum.take(1)
    assert_receive {:event, [:penning, :process, :start], _, %{program: "yes"}}
    assert_receive {:event, [:penning, :process, :exit], %{stdout_bytes: n}, %{program: "yes"}}
    assert n > 0

    port = Port.open({:spawn_executable, "/bin/cat"}, [:exit_status])
    {:os_pid, os_pid} = Port.info(port, :os_pid)
    id = make_ref()
    on_exit(fn -> Telemetry.detach(id) end)
    :ok = Telemetry.attach(id, Telemetry.events(), {__MODULE__, :tell_of}, {self(), os_pid})
    {:ok, ps} = Penning.adopt(os_pid)
    Penning.close(ps)
    assert_receive {:event_of, ^os_pid, [:penning, :process, :start]}
    assert_receive {:event_of, ^os_pid, [:penning, :process, :exit]}
    refute_received {:event_of, _, _}
    heard_no_more()
  end

  test "a start that fails is told as such" do
    listen()
    {:error, :enoent} = Penning.open("no-such-program-anywhere", [@mark])
    assert_receive {:event, [:penning, :process, :start_error], %{duration: _}, metadata}

    assert %{program: "no-such-program-anywhere", args: [@mark], reason: :enoent, pid: _} =
             metadata

    opts = [ready: {:stdout, "up"}, start_timeout: 0]
    {:error, :timeout} = Penning.open("sh", ["-c", "exec sleep 1000", @mark], opts)
    assert_receive {:event, [:penning, :process, :start_error], _, %{reason: :timeout}}
    heard_no_more()
  end

  test "a port program has its start and its stop" do
    listen()
    port = :"#{__MODULE__}.port"
    pid = start_supervised!({Penning.Port, name: port})
    {:ok, %{os_pid: os_pid, version: version}} = Penning.Port.info(port)
    assert_receive {:event, [:penning, :port, :start], %{duration: _}, started}
    assert %{port: ^pid, os_pid: ^os_pid, version: ^version, containment: _} = started
    assert started.executable == Penning.executable_path()

    {:ok, ps} = Penning.open("sh", ["-c", "exec cat", @mark], port: port)
    kill(os_pid)
    assert_receive {:EXIT, ^ps, :noconnection}
    assert_receive {:event, [:penning, :port, :stop], %{duration: _}, ended}
    assert ended == Map.put(started, :reason, {:exit_status, 137})
    assert_receive {:event, [:penning, :process, :exit], _, %{pid: ^ps, how: nil} = lost}
    assert lost.reason == :noconnection

    {:ok, _} = Penning.Port.info(port)
    assert_receive {:event, [:penning, :port, :start], _, _}
    stop_supervised!(port)
    assert_receive {:event, [:penning, :port, :stop], _, %{reason: :shutdown}}
    refute_received {:event, [:penning, :port, _], _, _}
  end

  test "a handler hears only of what it asked for, until it is detached" do
    id = listen([:penning, :process, :exit])
    {:ok, _} = Penning.run("true", [@mark])
    assert_receive {:event, [:penning, :process, :exit], _, _}
    :ok = Telemetry.detach(id)
    {:ok, _} = Penning.run("true", [@mark])
    refute_received {:event, _, _, _}
  end

  test "a handler that fails is detached and logged, and harms nobody" do
    listen([:penning, :process, :exit])
    bad = {:bad, make_ref()}
    fail = fn _, _, _, _ -> raise "not today" end
    :ok = Telemetry.attach(bad, Telemetry.events(), fail, nil)
    log = capture_log(fn -> {:ok, %{how: {:status, 0}}} = Penning.run("true", [@mark]) end)
    assert log =~ "not today"
    assert log =~ inspect(bad)
    assert Telemetry.detach(bad) == {:error, :not_found}
    assert_receive {:event, [:penning, :process, :exit], _, _}
  end

  test "handlers that are attached at once are all there" do
    ids = for n <- 1..50, do: {__MODULE__, n}

    attach = fn id ->
      Telemetry.attach(id, [:penning, :port, :stop], {__MODULE__, :tell}, self())
    end

    answers = ids |> Enum.map(&Task.async(fn -> attach.(&1) end)) |> Task.await_many()
    assert Enum.uniq(answers) == [:ok]
    assert Enum.map(ids, &Telemetry.detach/1) |> Enum.uniq() == [:ok]
  end

  test "the library telemetry is told where it is loaded" do
    test = self()
    name = Process.register(test, __MODULE__) && inspect(__MODULE__)

    [{:telemetry, _}] =
      Code.compile_string("""
      defmodule :telemetry do
        def execute(event, measurements, metadata),
          do: send(#{name}, {:telemetry, event, measurements, metadata})
      end
      """)

    on_exit(fn ->
      :code.delete(:telemetry)
      :code.purge(:telemetry)
    end)

    {:ok, _} = Penning.run("true", [@mark])
    assert_receive {:telemetry, [:penning, :process, :start], %{duration: _}, %{program: "true"}}
    assert_receive {:telemetry, [:penning, :process, :exit], %{duration: _}, %{program: "true"}}
  end

  test "what is no event and no handler is refused" do
    assert_raise ArgumentError, ~r/invalid event \[:penning\]/, fn ->
      Telemetry.attach(:x, [[:penning]], {IO, :inspect}, nil)
    end

    assert_raise ArgumentError, ~r/invalid handler :no/, fn ->
      Telemetry.attach(:x, Telemetry.events(), :no, nil)
    end
  end
end
