defmodule Penning.PortTest do
  use Penning.Case, async: true

  alias Penning.{Error, TestWorker}

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  defp start_port(opts) do
    name = :"port_#{System.unique_integer([:positive])}"
    start_supervised!({Penning.Port, [name: name] ++ opts})
    name
  end

  defp penningd(port) do
    {:ok, %{os_pid: os_pid}} = Penning.Port.info(port)
    os_pid
  end

  describe "the port program" do
    test "tells of itself" do
      assert {:ok, %{children: n, containment: c, os_pid: _, version: v}} = Penning.Port.info()
      assert is_integer(n) and is_binary(c) and is_binary(v)
    end

    test "is found as configured" do
      assert Penning.executable_path() |> File.exists?()
      assert Path.type(Penning.executable_path()) == :absolute
    end

    test "carries an end to its children when its owner stops" do
      port = start_port([])
      {:ok, ps} = Penning.open("sleep", ["1000"], port: port)
      os_pids = [Penning.os_pid(ps), penningd(port)]
      stop_supervised!(port)
      assert_receive {:EXIT, ^ps, :noconnection}
      assert eventually(1_000, fn -> not Enum.any?(os_pids, &running?/1) end)
    end

    test "that is killed takes all down, and the next one starts on demand" do
      port = start_port([])
      os_pid = penningd(port)
      opened = for _ <- 1..10, do: Penning.open("sleep", ["1000"], port: port) |> elem(1)
      {:ok, worker} = Penning.start_link(TestWorker, "sleep", ["1000"], self(), port: port)
      children = Enum.map([worker | opened], &Penning.os_pid/1)

      kill(os_pid)

      assert_receive {:exit, ^worker, :noconnection}
      assert_receive {:EXIT, ^worker, :noconnection}
      for ps <- opened, do: assert_receive({:EXIT, ^ps, :noconnection})
      assert eventually(1_000, fn -> not Enum.any?(children, &running?/1) end)

      {:ok, ps} = Penning.open("echo", ["again"], port: port)
      assert {"again\n", "", :normal} = collect(ps)
      assert penningd(port) != os_pid
    end

    test "that is killed leaves its supervised children restarted" do
      port = start_port([])

      start_supervised!(%{
        id: :supervisor,
        start:
          {Supervisor, :start_link,
           [
             [{Penning, {TestWorker, "sleep", ["1000"], self(), port: port}}],
             [strategy: :one_for_one]
           ]}
      })

      assert_receive {:init, pid}
      os_pid = Penning.os_pid(pid)
      kill(penningd(port))
      assert_receive {:init, new} when new != pid
      assert Penning.os_pid(new) != os_pid
      assert eventually(1_000, fn -> not running?(os_pid) end)
    end

    test "forgets its children" do
      port = start_port([])

      for _ <- 1..20 do
        {:ok, ps} = Penning.open("true", [], port: port)
        assert_receive {:EXIT, ^ps, :normal}
      end

      {:ok, ps} = Penning.open("yes", [], port: port)
      Process.exit(ps, :kill)
      assert eventually(fn -> idle?(port) end)
    end

    # Neither side has anything left.
    defp idle?(port) do
      state = :sys.get_state(port)
      left = {state.opening, state.pending, state.held, state.table}

      left == {%{}, %{}, [], Penning.Table.new()} and
        match?({:ok, %{children: 0}}, Penning.Port.info(port))
    end

    test "is not asked to start what nobody waits for any more" do
      port = start_port([])
      before = penningd(port)

      # suspended, the owner of the port answers only after the proxy has died
      :sys.suspend(port)
      opener = spawn(fn -> Penning.open("sleep", ["1000"], port: port) end)

      assert eventually(fn ->
               match?(
                 {:message_queue_len, n} when n > 0,
                 Process.info(Process.whereis(port), :message_queue_len)
               )
             end)

      {:messages, messages} = Process.info(Process.whereis(port), :messages)
      [proxy] = for {:"$gen_cast", {:start, {pid, _}, _}} <- messages, do: pid
      Process.exit(proxy, :kill)
      Process.exit(opener, :kill)
      :sys.resume(port)
      assert eventually(fn -> idle?(port) end)
      assert penningd(port) == before
    end
  end

  describe "a port program that is none" do
    test "is not there" do
      port = start_port(executable: "/nowhere/penningd")

      assert {:error, %Error{reason: {:no_executable, _}} = error} =
               Penning.open("cat", [], port: port)

      assert Exception.message(error) =~ "/nowhere/penningd"
      assert_raise Error, fn -> Penning.whereis("counter", port: port) end
    end

    test "cannot be started" do
      path = Path.join(System.tmp_dir!(), "penning-test-#{System.unique_integer([:positive])}")
      File.write!(path, "#!/nowhere/interpreter\n")
      File.chmod!(path, 0o755)
      on_exit(fn -> File.rm(path) end)
      port = start_port(executable: path)
      assert {:error, %Error{}} = Penning.open("cat", [], port: port)
    end

    test "ends before it greets" do
      port = start_port(executable: "/bin/false")

      assert {:error, %Error{reason: {:not_greeted, "/bin/false", _}}} =
               Penning.open("cat", [], port: port)
    end

    test "echoes" do
      port = start_port(executable: "/bin/cat")

      assert {:error, %Error{reason: {:not_greeted, _, {:frame, _}}} = error} =
               Penning.open("x", [], port: port)

      assert Exception.message(error) =~ "it is no penning port program"
    end

    test "mutters" do
      port = start_port(fake_port("mutters"))

      assert {:error, %Error{reason: {:not_greeted, _, {:frame, "hello?"}}}} =
               Penning.open("x", [], port: port)
    end

    test "dies at the greeting" do
      port = start_port(fake_port("dies"))

      assert {:error, %Error{reason: {:not_greeted, _, {:exit_status, 7}}}} =
               Penning.open("x", [], port: port)
    end

    test "speaks another version" do
      for behaviour <- ["future", "newer"] do
        port = start_port(fake_port(behaviour))

        assert {:error, %Error{reason: {:bad_version, _, 2}} = error} =
                 Penning.open("x", [], port: port)

        assert Exception.message(error) =~ "version 2"
      end
    end

    test "does not run at all" do
      assert {:error, %Error{reason: :not_running}} = Penning.open("cat", [], port: :nobody)
    end
  end

  describe "the option :port" do
    defp starts(port) do
      [
        fn -> Penning.open("cat", [], port: port) end,
        fn -> Penning.start_link(TestWorker, "cat", [], self(), port: port) end,
        fn -> Penning.run("cat", [], port: port) end,
        fn -> Penning.adopt(1, port: port) end,
        fn -> Penning.Supervisor.start_link([], port: port) end
      ]
    end

    defp refused(ask, port, text) do
      error = assert_raise ArgumentError, ask
      assert error.message == "invalid option :port with value #{inspect(port)}: #{text}"
    end

    test "that names a process of another kind is refused, and the process is left alone" do
      agent = start_supervised!({Agent, fn -> :untouched end})
      name = :"agent_#{System.unique_integer([:positive])}"
      Process.register(agent, name)

      :yes = :global.register_name(name, agent)

      for port <- [agent, name, {name, node()}, {:global, name}] do
        asks = [fn -> Penning.whereis("counter", port: port) end | starts(port)]
        for ask <- asks, do: refused(ask, port, "it is no Penning.Port")
      end

      assert Agent.get(agent, & &1) == :untouched
      refute_received {:init, _}
    end

    test "takes a Penning.Port by pid and by every kind of name" do
      name = start_port([])
      pid = Process.whereis(name)

      for port <- [pid, name, {name, node()}],
          do: assert({:ok, %{out: "x\n"}} = Penning.run("echo", ["x"], port: port))

      assert Penning.whereis("nobody", port: pid) == nil
    end

    test "that names nobody is told as before" do
      dead = spawn(fn -> :ok end)
      assert eventually(fn -> not Process.alive?(dead) end)

      for port <- [dead, :nobody, {:global, :nobody}],
          do: assert({:error, %Error{reason: :not_running}} = Penning.open("cat", [], port: port))

      assert_raise Error, fn -> Penning.whereis("counter", port: dead) end
    end

    test "that names another node is refused for starts" do
      port = {Penning.Port, :"nobody@127.0.0.1"}
      for ask <- starts(port), do: refused(ask, port, "it is on another node")
      assert_raise Error, fn -> Penning.whereis("counter", port: port) end
    end
  end

  test "bad options of a port name option and value" do
    for {opts, text} <- [
          {[executable: 5], "invalid option :executable with value 5"},
          {[args: "x"], "invalid option :args with value \"x\""},
          {[name: nil], "invalid option :name with value nil"},
          {[colour: 1], "unknown option :colour with value 1"}
        ] do
      error = assert_raise ArgumentError, fn -> Penning.Port.start_link(opts) end
      assert error.message =~ text
    end
  end

  describe "a published actor" do
    setup do
      port = start_port(fake_port("actors"))
      %{port: port, pid: Penning.whereis("counter", port: port)}
    end

    test "has one pid", %{port: port, pid: pid} do
      assert Penning.whereis("counter", port: port) == pid
      assert Penning.whereis(:counter, port: port) == pid
      assert Penning.whereis("nobody", port: port) == nil
    end

    test "answers calls, and hears messages and casts in order", %{pid: pid} do
      assert GenServer.call(pid, {:echo, [self(), make_ref(), 1.5]}) |> hd() == self()
      send(pid, {:add, 1})
      GenServer.cast(pid, {:add, 2})
      :ok = Penning.cast(pid, {:add, 3})
      assert Penning.call(pid, :heard) == [{:add, 1}, {:add, 2}, {:add, 3}]
      assert GenServer.call(pid, :fail) == {:error, {:unexpected, :fail}}
    end

    test "ends with the actor's reason, calls under way included", %{port: port, pid: pid} do
      monitor = Process.monitor(pid)
      task = Task.async(fn -> catch_exit(GenServer.call(pid, :hang)) end)
      assert eventually(fn -> map_size(:sys.get_state(pid).calls.waiting) == 1 end)
      Process.exit(pid, {:some, :reason})
      assert_receive {:DOWN, ^monitor, :process, ^pid, {:some, :reason}}
      assert {{:some, :reason}, _} = Task.await(task)
      assert eventually(fn -> :sys.get_state(port).table == Penning.Table.new() end)
    end

    test "that is killed through its pid is killed", %{port: port, pid: pid} do
      Process.exit(pid, :kill)
      assert eventually(fn -> :sys.get_state(port).table == Penning.Table.new() end)
    end

    test "survives a crash of what stands for it", %{port: port, pid: pid} do
      monitor = Process.monitor(pid)
      :sys.replace_state(pid, fn _ -> :broken end)
      send(pid, :crash)
      assert_receive {:DOWN, ^monitor, :process, ^pid, _}
      assert new = Penning.whereis("counter", port: port)
      assert new != pid
      assert Penning.call(new, :heard) == []
    end

    test "ends with noconnection when its program does", %{pid: pid} do
      monitor = Process.monitor(pid)
      send(pid, :halt)
      assert_receive {:DOWN, ^monitor, :process, ^pid, :noconnection}
    end

    test "and a strange frame from its program concerns nobody", %{pid: pid} do
      send(pid, :strange)
      assert Penning.call(pid, {:echo, 1}) == 1
    end

    test "and bytes that are no term end its program", %{port: port, pid: pid} do
      monitor = Process.monitor(pid)
      send(pid, :nonsense)
      assert_receive {:DOWN, ^monitor, :process, ^pid, :noconnection}
      # the next one starts on demand
      assert Penning.whereis("counter", port: port) != pid
    end

    test "what comes with such bytes counts up to them", %{port: port, pid: pid} do
      monitor = Process.monitor(pid)
      send(pid, {:nonsense_and, self(), :once})
      assert_receive {:DOWN, ^monitor, :process, ^pid, :noconnection}
      assert Penning.whereis("counter", port: port) != pid
      assert_received :once
      refute_received :once
    end

    test "cannot be sent what no frame can hold", %{pid: pid} do
      huge = :binary.copy("x", 256 * 1024 * 1024)
      assert {:error, {:frame_too_big, _}} = GenServer.call(pid, {:echo, huge})
      send(pid, huge)
      assert Penning.call(pid, :heard) == []
    end

    test "cannot be sent what is nested too deep", %{pid: pid} do
      # request, call and echo
      assert GenServer.call(pid, {:echo, nested(1021)}) == nested(1021)
      assert {:error, {:frame_too_deep, 1024}} = GenServer.call(pid, {:echo, nested(1022)})
      send(pid, nested(1024))
      Process.exit(pid, nested(1024))
      assert Penning.call(pid, :heard) == []
    end
  end

  test "a published actor is called by its name" do
    assert Penning.whereis("nobody of this name") == nil
    assert {:noproc, _} = catch_exit(Penning.call("nobody of this name", :hello))
    assert Penning.cast("nobody of this name", :hello) == :ok
  end
end
