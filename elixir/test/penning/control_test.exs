defmodule Penning.ControlTest do
  use Penning.Case, async: true

  alias Penning.TestWorker

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  test "the end is told with how and usage, once, before the exit signal" do
    {:ok, ps} = sh("exit 137")
    os_pid = Penning.os_pid(ps)
    assert_receive {^ps, {:exited, exited, {:status, 137}, usage}}
    assert os_pid in [exited, nil]
    assert %{user: _, system: _, max_rss: _, oom_killed: false} = usage
    assert_receive {:EXIT, ^ps, {:exit_status, 137}}

    {:ok, ps} = sh("kill -9 $$")
    assert_receive {^ps, {:exited, _, {:signal, 9, false}, _}}
    assert_receive {:EXIT, ^ps, {:signal, 9}}
  end

  test "with orphans: :keep the end comes before that of those who are left" do
    {:ok, ps} = sh("sleep 1000 & echo $!; exit 3", orphans: :keep)
    left = line(ps)
    assert_receive {^ps, {:exited, _, {:status, 3}, _}}
    refute_received {:EXIT, ^ps, _}
    assert running?(left)
    assert Penning.signal(ps, :hup) == {:error, :esrch}
    assert {:ok, %{os_pid: 0}} = Penning.info(ps)
    Penning.command(ps, "x")
    assert_receive {^ps, {:stdin_closed, :epipe}}
    Penning.close(ps)
    assert_receive {^ps, :closed}
    assert_receive {:EXIT, ^ps, :shutdown}
    refute running?(left)
  end

  test "a signal goes to the process" do
    {:ok, ps} = sh("trap 'echo hup' HUP; echo up; while :; do sleep 0.01; done")
    assert line(ps) == "up"

    for signal <- [:hup, "SIGHUP", 1, :HUP] do
      assert Penning.signal(ps, signal) == :ok
      assert line(ps) == "hup"
    end

    # a term that no frame can carry would never be answered
    deep = Enum.reduce(1..100_000, [], fn _, inner -> [inner] end)
    long = :binary.copy("x", 64 * 1024 * 1024)

    for bad <- [:nonsense, "nonsense", "", 0, 65, 1.5, deep, long],
        do: assert(Penning.signal(ps, bad) == {:error, {:bad_signal, bad}})

    assert Penning.signal(ps, :kill) == :ok
    assert_receive {:EXIT, ^ps, {:signal, 9}}
    assert Penning.signal(ps, :hup) == {:error, :noproc}
  end

  test "a terminal changes its size" do
    script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done"
    {:ok, ps} = sh(script, pty: [rows: 2, columns: 3, modes: [opost: false]])
    assert line(ps) == "2 3"
    assert Penning.window_size(ps, 50, 132) == :ok
    assert line(ps) == "50 132"
    assert_raise ArgumentError, ~r/rows 70000/, fn -> Penning.window_size(ps, 70_000, 1) end
    Penning.close(ps)
    assert_receive {^ps, :closed}
    assert Penning.window_size(ps, 1, 1) == {:error, :noproc}

    {:ok, ps} = Penning.open("cat", [])
    assert Penning.window_size(ps, 1, 1) == {:error, :enotty}
    Penning.close(ps)
  end

  test "a process tells how it is" do
    {:ok, ps} = sh("read line; echo $line; echo bad >&2; exec cat")
    Penning.command(ps, "hello\n")
    assert line(ps) == "hello"
    assert_receive {^ps, {:error, "bad\n"}}
    assert {:ok, info} = Penning.info(ps)
    assert %{state: :running, restarts: 0, stdin_bytes: 6, stdin_queued: 0} = info
    assert %{stdout_bytes: 6, stderr_bytes: 4} = info
    assert info.os_pid == Penning.os_pid(ps)
    assert info.uptime >= 0
    assert is_binary(info.containment) and info.containment != ""
    assert %{user: _, system: _, max_rss: max_rss, oom_killed: false} = info.usage
    assert max_rss > 0
    assert is_map(info.cgroup)
    Penning.close(ps)
    assert_receive {:EXIT, ^ps, :shutdown}
    assert Penning.info(ps) == {:error, :noproc}
  end

  test "a callback module asks about its own process" do
    {:ok, pid} = TestWorker.start_link({"cat", [], self(), []})
    ask = fn from, state -> GenServer.reply(from, Penning.info(self())) && {:noreply, state} end
    assert {:ok, %{state: :running}} = GenServer.call(pid, ask)
    signal = fn _, state -> {:reply, Penning.signal(self(), 64 + 1), state} end
    assert GenServer.call(pid, signal) == {:error, {:bad_signal, 65}}
    kill = fn _, state -> {:reply, Penning.signal(self(), :kill), state} end
    assert GenServer.call(pid, kill) == :ok
    assert_receive {:exit, ^pid, {:signal, 9}}
  end

  test "a callback module asks about its own process, which has ended meanwhile" do
    test = self()

    on_exit = fn reason, state ->
      send(test, {Penning.info(self()), Penning.os_pid(self()), Penning.signal(self(), :hup)})
      {:stop, reason, state}
    end

    init = fn -> {:ok, %{test: test, seen: "", on_exit: on_exit}} end
    {:ok, pid} = TestWorker.start_link({"true", [], init, []})
    assert_receive {{:error, :noproc}, nil, {:error, :noproc}}
    assert_receive {:EXIT, ^pid, :normal}
  end

  test "a call that waits when the process ends is answered" do
    {:ok, ps} = Penning.open("cat", [])
    :sys.suspend(ps)
    task = Task.async(fn -> Penning.info(ps) end)
    assert eventually(fn -> Process.info(ps, :message_queue_len) == {:message_queue_len, 1} end)
    kill(:sys.get_state(ps).child.os_pid)
    assert eventually(fn -> Process.info(ps, :message_queue_len) > {:message_queue_len, 2} end)
    :sys.resume(ps)
    assert Task.await(task) == {:error, :noproc}
    assert_receive {:EXIT, ^ps, {:signal, 9}}
  end

  test "a call that is answered with the reason of the end is told that there is no process" do
    {:ok, ps} = Penning.open("cat", [])
    %{child: child} = :sys.get_state(ps)

    for reason <- [:normal, :shutdown, {:exit_status, 3}, {:signal, 9}] do
      tag = make_ref()
      reply = {:"$penning", {:reply, {child.id, 1}, {:error, reason}}}
      calls = %Penning.Calls{waiting: %{1 => {self(), tag}}}
      {:done, _} = Penning.Child.handle(%{child | calls: calls}, reply)
      assert_received {^tag, {:error, :noproc}}
    end

    Penning.close(ps)
  end

  test "a call that came before its end was asked for is answered before it" do
    {:ok, ps} =
      sh("trap '' TERM; echo up; while :; do sleep 0.01; done", delay_to_sigkill: 60_000)

    assert line(ps) == "up"
    :sys.suspend(ps)
    task = Task.async(fn -> Penning.info(ps) end)
    assert eventually(fn -> Process.info(ps, :message_queue_len) == {:message_queue_len, 1} end)
    Process.exit(ps, :shutdown)
    :sys.resume(ps)
    assert {:ok, %{state: state, os_pid: os_pid}} = Task.await(task)
    assert state in [:running, :stopping]
    kill(os_pid)
    assert_receive {:EXIT, ^ps, :shutdown}
  end

  test "a supervised child tells how it is, and how often it was restarted" do
    child = %{id: :a, start: {"sleep", ["1000"], []}}
    {:ok, supervisor} = Penning.Supervisor.start_link([child], max_restarts: 5)
    assert {:ok, %{restarts: 0, os_pid: os_pid}} = Penning.Supervisor.info(supervisor, :a)
    kill(os_pid)

    assert eventually(fn ->
             match?({:ok, %{restarts: 1}}, Penning.Supervisor.info(supervisor, :a))
           end)

    assert Penning.Supervisor.info(supervisor, :b) == {:error, :noproc}
    :ok = Penning.Supervisor.stop(supervisor)
  end

  describe "run" do
    test "takes a command to its end" do
      assert {:ok, result} =
               Penning.run("sh", ["-c", "tr a-z A-Z; echo bad >&2; exit 3"], input: ["he", ?y])

      assert %{how: {:status, 3}, out: "HEY", err: "bad\n"} = result
      assert %{truncated: false, timed_out: false, usage: %{max_rss: _}} = result
      assert {:ok, %{how: {:signal, 9, false}}} = Penning.run("sh", ["-c", "kill -9 $$"])
    end

    test "keeps so much and reads the rest" do
      opts = [max_output: 10]

      assert {:ok, result} =
               Penning.run("sh", ["-c", "yes | head -c 1000000; echo abc >&2"], opts)

      assert %{how: {:status, 0}, out: "y\ny\ny\ny\ny\n", err: "abc\n", truncated: true} = result
    end

    test "stops a command that takes too long" do
      assert {:ok, result} = Penning.run("sh", ["-c", "echo up; exec sleep 1000"], timeout: 100)
      assert %{how: {:signal, 15, false}, timed_out: true, err: ""} = result
    end

    test "ends with its caller" do
      path = temporary_file()
      caller = spawn(fn -> Penning.run("sh", ["-c", "echo $$ > #{path}; exec sleep 1000"]) end)
      assert eventually(fn -> match?({:ok, <<_, _::binary>>}, File.read(path)) end)
      os_pid = path |> File.read!() |> String.trim()
      Process.exit(caller, :kill)
      assert eventually(fn -> not running?(os_pid) end)
    end

    test "says what is wrong" do
      assert Penning.run("no-such-program-anywhere") == {:error, :enoent}

      assert_raise ArgumentError, ~r/:input with value 7/, fn ->
        Penning.run("cat", [], input: 7)
      end

      assert_raise ArgumentError, ~r/:max_output with value -1/, fn ->
        Penning.run("cat", [], max_output: -1)
      end

      assert_raise ArgumentError, ~r/:timeout with value :ever/, fn ->
        Penning.run("cat", [], timeout: :ever)
      end

      assert_raise ArgumentError, ~r/:cd with value "\/nowhere"/, fn ->
        Penning.run("cat", [], cd: "/nowhere")
      end

      assert {:error, %Penning.Error{}} = Penning.run("cat", [], port: :nobody)
    end
  end

  describe "an adopted process" do
    # Started by the BEAM, not by us: its pid, and the port that holds its stdin.
    defp foreign do
      port = Port.open({:spawn_executable, "/bin/cat"}, [:exit_status])
      {:os_pid, os_pid} = Port.info(port, :os_pid)
      # before it executes it is deaf to SIGTERM
      Port.command(port, "up")
      assert_receive {^port, {:data, _}}
      {port, os_pid}
    end

    test "is stopped as others are" do
      {port, os_pid} = foreign()
      {:ok, ps} = Penning.adopt(os_pid, stop_signal: "INT")
      assert Penning.os_pid(ps) == os_pid
      assert {:ok, %{state: :running, os_pid: ^os_pid, containment: "none"}} = Penning.info(ps)
      Penning.close(ps)
      assert_receive {^ps, :closed}
      assert_receive {:EXIT, ^ps, :shutdown}
      assert_receive {^port, {:exit_status, 130}}
    end

    test "has neither streams nor a terminal" do
      {port, os_pid} = foreign()
      {:ok, ps} = Penning.adopt(os_pid)
      Penning.command(ps, "x")
      assert_receive {^ps, {:stdin_closed, :ebadf}}
      assert Penning.window_size(ps, 1, 1) == {:error, :enotty}
      Penning.close(ps)
      assert_receive {^ps, :closed}
      assert_receive {^port, {:exit_status, 143}}
    end

    test "ends with its owner" do
      {port, os_pid} = foreign()
      test = self()

      owner =
        spawn(fn ->
          {:ok, _} = Penning.adopt(os_pid)
          send(test, :adopted)
          receive do: (:never -> :ok)
        end)

      assert_receive :adopted
      Process.exit(owner, :kill)
      assert_receive {^port, {:exit_status, 143}}
    end

    test "that ends is told" do
      {port, os_pid} = foreign()
      {:ok, ps} = Penning.adopt(os_pid)
      Port.close(port)
      assert_receive {^ps, {:exited, ^os_pid, {:signal, 0, false}, _}}
      assert_receive {:EXIT, ^ps, {:signal, 0}}
    end

    test "is the one that is meant" do
      {_port, os_pid} = foreign()
      assert Penning.adopt(os_pid, start_time: 1) == {:error, :esrch}
      assert Penning.adopt(4_194_304) == {:error, :esrch}
      error = assert_raise ArgumentError, fn -> Penning.adopt(os_pid, stop_signal: "NONE") end
      assert error.message =~ ~s(invalid option :stop_signal with value "NONE")
      error = assert_raise ArgumentError, fn -> Penning.adopt("1", []) end
      assert error.message =~ ~s(invalid option :os_pid with value "1")
    end
  end
end
