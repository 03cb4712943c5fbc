defmodule Penning.WorkerTest do
  use Penning.Case, async: true

  alias Penning.{BareWorker, TestWorker}

  @ready "echo ready; while :; do sleep 0.01; done"

  defp worker(script, opts \\ [], init_arg \\ self()),
    do: Penning.start_link(TestWorker, "/bin/sh", ["-c", script], init_arg, opts)

  describe "callbacks" do
    test "hear stdout, stderr and the end, in order" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("echo out; echo err >&2; exit 3")
      assert_receive {:init, ^pid}
      assert_receive {:stdout, ^pid, "out\n"}
      assert_receive {:stderr, ^pid, "err\n"}
      assert_receive {:exit, ^pid, {:exit_status, 3}}
      assert_receive {:terminate, ^pid, {:exit_status, 3}, "out\n"}
      assert_receive {:EXIT, ^pid, {:exit_status, 3}}
    end

    test "decide on the reason of the end" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("read go; exit 3")
      rule = fn reason, state -> {:stop, {:shutdown, reason}, state} end
      GenServer.cast(pid, &{:noreply, Map.put(&1, :on_exit, rule)})
      Penning.command(pid, "go\n")
      assert_receive {:EXIT, ^pid, {:shutdown, {:exit_status, 3}}}
    end

    test "must stop at the end" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("read go")
      GenServer.cast(pid, &{:noreply, Map.put(&1, :on_exit, fn _, s -> {:noreply, s} end)})
      Penning.command(pid, "go\n")
      assert_receive {:EXIT, ^pid, {:bad_return_value, {:noreply, _}}}
    end

    test "may all be missing" do
      Process.flag(:trap_exit, true)

      {:ok, pid} =
        Penning.start_link(BareWorker, "/bin/sh", ["-c", "echo x; read go; exit 2"], :arg)

      send(pid, :unexpected)
      assert is_integer(Penning.os_pid(pid))
      Penning.command(pid, "go\n")
      assert_receive {:EXIT, ^pid, {:exit_status, 2}}
    end

    test "answer calls, casts and messages, with every return value" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("cat")
      test = self()

      assert GenServer.call(pid, fn _, s -> {:reply, 1, s} end) == 1
      assert GenServer.call(pid, fn from, s -> GenServer.reply(from, 2) && {:noreply, s} end) == 2

      on = fn n -> fn s -> send(test, {:continued, n}) && {:noreply, s} end end
      assert GenServer.call(pid, fn _, s -> {:reply, 3, s, {:continue, on.(3)}} end) == 3
      assert_receive {:continued, 3}

      GenServer.cast(pid, fn s -> {:noreply, s, {:continue, on.(4)}} end)
      assert_receive {:continued, 4}

      send(pid, fn s -> {:noreply, s, :hibernate} end)
      send(pid, :hello)
      assert_receive {:info, ^pid, :hello}

      send(pid, fn s -> {:noreply, s, 0} end)
      assert_receive {:info, ^pid, :timeout}

      assert GenServer.call(pid, fn _, s -> {:stop, :because, 5, s} end) == 5
      assert_receive {:terminate, ^pid, :because, _}
      assert_receive {:EXIT, ^pid, :because}
    end

    test "that return nonsense stop with bad_return_value" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("cat")
      send(pid, fn _ -> :nonsense end)
      assert_receive {:EXIT, ^pid, {:bad_return_value, :nonsense}}
    end

    test "keep their timeout while only bytes of stdin are on their way" do
      {:ok, pid} = worker("cat >/dev/null")
      send(pid, fn s -> {:noreply, s, 100} end)
      # `written` for this arrives in between and reaches no callback
      Penning.command(pid, "hello")
      assert_receive {:info, ^pid, :timeout}
    end

    test "may talk to their own program" do
      {:ok, pid} = worker("cat")

      os_pid =
        GenServer.call(pid, fn _, state ->
          Penning.command(self(), "to myself")
          {:reply, Penning.os_pid(self()), state}
        end)

      assert os_pid == Penning.os_pid(pid)
      assert_receive {:stdout, ^pid, "to myself"}
      assert GenServer.call(pid, :seen) == "to myself"
      send(pid, fn s -> Penning.close_stdin(self()) && {:noreply, s} end)
      assert_receive {:exit, ^pid, :normal}
    end

    test "slow the program down: no byte passes the window while one is busy" do
      {:ok, pid} = worker("read go; yes; echo never", stdio_window: 4096)
      test = self()

      block = fn _data, state ->
        send(test, {:blocked, self()})
        receive do: (:go_on -> :ok)
        {:noreply, state}
      end

      GenServer.cast(pid, &{:noreply, Map.put(&1, :on_stdout, block)})
      Penning.command(pid, "go\n")
      assert_receive {:blocked, ^pid}
      # a request is answered after what was sent before it
      {:ok, _} = Penning.Port.info()
      assert bytes_waiting(pid) <= 4096
      send(pid, :go_on)
      assert_receive {:blocked, ^pid}
      assert bytes_waiting(pid) <= 4096
      GenServer.cast(pid, &{:noreply, Map.delete(&1, :on_stdout)})
      send(pid, :go_on)
      GenServer.stop(pid)
    end

    defp bytes_waiting(pid) do
      {:messages, messages} = Process.info(pid, :messages)

      Enum.sum(for {:"$penning", {:message, _, {:data, bytes}}} <- messages, do: byte_size(bytes))
    end
  end

  describe "init" do
    test "may refuse, and nothing has been started" do
      Process.flag(:trap_exit, true)
      assert worker("exit 0", [], fn -> {:stop, :no} end) == {:error, :no}
      assert worker("exit 0", [], fn -> :ignore end) == :ignore
      assert worker("exit 0", [], fn -> :what end) == {:error, {:bad_return_value, :what}}
    end

    test "may continue and hibernate" do
      test = self()
      state = %{test: test, seen: ""}
      on = fn s -> send(test, {:continued, Penning.os_pid(self())}) && {:noreply, s} end
      {:ok, pid} = worker("cat", [], fn -> {:ok, state, {:continue, on}} end)
      os_pid = Penning.os_pid(pid)
      assert_receive {:continued, ^os_pid}
      {:ok, pid} = worker("echo hello; cat", [], fn -> {:ok, state, :hibernate} end)
      assert_receive {:stdout, ^pid, "hello\n"}
      {:ok, pid} = worker("cat", [], fn -> {:ok, state, 10} end)
      assert_receive {:info, ^pid, :timeout}
    end
  end

  describe "start_link" do
    test "answers for a program that is not there, and spares the caller" do
      task = Task.async(fn -> Penning.start_link(TestWorker, "no-such-program", [], self()) end)
      assert Task.await(task) == {:error, :enoent}
    end

    test "calls terminate of a module whose program could not be started" do
      assert Penning.start_link(TestWorker, "no-such-program", [], self()) == {:error, :enoent}
      assert_receive {:terminate, _, :enoent, ""}
    end

    test "raises for bad options, as open does" do
      assert_raise ArgumentError, ~r/option :gid/, fn -> worker("exit", gid: 1.5) end

      assert_raise ArgumentError, ~r/:cd with value "\/nowhere"/, fn ->
        worker("exit", cd: "/nowhere")
      end

      assert_raise ArgumentError, ~r/unknown option :colour/, fn -> worker("exit", colour: 1) end

      assert_raise ArgumentError, ~r/invalid callback module "M"/, fn ->
        Penning.start_link("M", "cat", [], 1)
      end
    end

    test "registers a name, by which it can be reached" do
      name = :"#{__MODULE__}.named"
      {:ok, pid} = worker("cat", name: name)
      assert Process.whereis(name) == pid
      assert {:error, {:already_started, ^pid}} = worker("cat", name: name)
      Penning.command(name, "hello")
      assert_receive {:stdout, ^pid, "hello"}
      assert is_integer(Penning.os_pid(name))
      Penning.close(name)
      assert_receive {^pid, :closed}
    end
  end

  describe "the end" do
    test "asked for with close: the program is gone, the caller lives" do
      {:ok, pid} = worker(@ready)
      os_pid = Penning.os_pid(pid)
      Penning.close(pid)
      assert_receive {:exit, ^pid, :shutdown}
      assert_receive {^pid, :closed}
      refute File.exists?("/proc/#{os_pid}")
    end

    test "of the process stops the program, waits, and hands over its last words before terminate" do
      script = "trap 'echo bye; exit 0' TERM; " <> @ready
      {:ok, pid} = worker(script, delay_to_sigkill: 10_000)
      assert_receive {:stdout, ^pid, "ready\n"}
      os_pid = Penning.os_pid(pid)
      GenServer.stop(pid)
      refute File.exists?("/proc/#{os_pid}")
      assert_receive {:stdout, ^pid, "bye\n"}
      assert_receive {:terminate, ^pid, :normal, "ready\nbye\n"}
      refute_received {:exit, ^pid, _}
    end

    test "by a crash in a callback takes the program along, though it floods" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = worker("read go; yes; echo never")
      os_pid = Penning.os_pid(pid)
      GenServer.cast(pid, &{:noreply, Map.put(&1, :on_stdout, fn _, _ -> raise "boom" end)})
      Penning.command(pid, "go\n")
      assert_receive {:EXIT, ^pid, {%RuntimeError{message: "boom"}, _}}
      refute File.exists?("/proc/#{os_pid}")
    end
  end

  describe "under a supervisor" do
    defp supervised(script, opts \\ [], override \\ []) do
      spec =
        Supervisor.child_spec(
          {Penning, {TestWorker, "/bin/sh", ["-c", script], self(), opts}},
          override
        )

      {:ok, supervisor} =
        start_supervised(%{
          id: make_ref(),
          start: {Supervisor, :start_link, [[spec], [strategy: :one_for_one]]},
          type: :supervisor
        })

      assert_receive {:init, pid}
      {supervisor, pid, Penning.os_pid(pid)}
    end

    test "is restarted when its OS process is killed" do
      {_, pid, os_pid} = supervised(@ready)
      kill(os_pid)
      assert_receive {:exit, ^pid, {:signal, 9}}
      assert_receive {:init, new} when new != pid
      assert Penning.os_pid(new) != os_pid
      refute File.exists?("/proc/#{os_pid}")
    end

    test "is stopped only when its OS process is gone" do
      script = "trap 'sleep 0.2; exit 0' TERM; " <> @ready
      {supervisor, pid, os_pid} = supervised(script, delay_to_sigkill: 4_000)
      assert_receive {:stdout, ^pid, "ready\n"}
      :ok = Supervisor.terminate_child(supervisor, TestWorker)
      refute File.exists?("/proc/#{os_pid}")
      {:ok, new} = Supervisor.restart_child(supervisor, TestWorker)
      assert running?(Penning.os_pid(new))
    end

    test "is restarted after a brutal kill only when its OS process is gone" do
      for _ <- 1..10 do
        {_, pid, os_pid} = supervised(@ready)
        Process.exit(pid, :kill)
        assert_receive {:init, new} when new != pid
        # os_pid waits until the start is done
        assert is_integer(Penning.os_pid(new))
        refute File.exists?("/proc/#{os_pid}")
      end
    end

    test "with brutal_kill takes its OS process along" do
      {supervisor, _, os_pid} = supervised(@ready, [], shutdown: :brutal_kill)
      :ok = Supervisor.terminate_child(supervisor, TestWorker)
      assert eventually(1_000, fn -> not File.exists?("/proc/#{os_pid}") end)
    end

    test "ends with it" do
      {supervisor, pid, os_pid} = supervised(@ready)
      monitor = Process.monitor(supervisor)
      Supervisor.stop(supervisor)
      assert_receive {:DOWN, ^monitor, _, _, _}
      assert_receive {:terminate, ^pid, :shutdown, _}
      refute File.exists?("/proc/#{os_pid}")
    end
  end
end
