defmodule Penning.ProtonStreamExamplesTest do
  # The examples of ProtonStream 1.8's documentation and README, under our name. What we mean to do
  # otherwise is in the README of this package.
  use Penning.Case, async: true

  import ExUnit.CaptureIO

  defmodule MyWorker do
    use GenServer
    @behaviour Penning

    def start_link(args) do
      Penning.start_link(__MODULE__, args[:program], [], args)
    end

    @impl GenServer
    def init(args) do
      send(args[:test], {:init, self()})
      {:ok, %{buffer: "", args: args}}
    end

    @impl Penning
    def handle_stdout(data, state) do
      send(state.args[:test], {:stdout, self(), data})
      {:noreply, %{state | buffer: state.buffer <> data}}
    end

    @impl Penning
    def handle_stderr(data, state) do
      IO.puts(:stderr, data)
      {:noreply, state}
    end

    @impl Penning
    def handle_exit(reason, state) do
      send(state.args[:test], {:exit, self(), reason, state.buffer})
      {:stop, reason, state}
    end
  end

  # For a machine without bc.
  @calculator """
  while read a op b; do
    if [ "$op" = + ]; then echo $((a + b)); else echo $((a * b)); fi
  done
  """

  # An executable, for a name that an example has.
  defp program(script) do
    path = temporary_file()
    File.write!(path, "#!/bin/sh\n" <> script)
    File.chmod!(path, 0o755)
    path
  end

  describe "message-based mode" do
    test "cat: command, data, close" do
      {:ok, ps} = Penning.open("cat", [])

      send(ps, {self(), {:command, "hello"}})

      received =
        receive do
          {^ps, {:data, data}} -> data
        end

      assert received == "hello"
      send(ps, {self(), :close})
      assert_receive {^ps, :closed}
    end

    test "bc: a conversation" do
      bc = System.find_executable("bc") || program(@calculator)
      {:ok, ps} = Penning.open(bc, ["-q"])

      send(ps, {self(), {:command, "2 + 2\n"}})

      receive do
        {^ps, {:data, "4\n"}} -> :ok
      end

      send(ps, {self(), {:command, "10 * 10\n"}})

      receive do
        {^ps, {:data, "100\n"}} -> :ok
      end

      send(ps, {self(), :close})
      assert_receive {^ps, :closed}
    end

    test "echo: open and its first message" do
      {:ok, ps} = Penning.open("echo", ["hello"])

      receive do
        {^ps, {:data, "hello\n"}} -> :ok
      end
    end

    test "my_program: stdout and stderr" do
      {:ok, ps} = Penning.open(program("echo out; echo err >&2"), [])

      outputs =
        for _ <- 1..2 do
          receive do
            {^ps, {:data, data}} -> {:stdout, data}
            {^ps, {:error, data}} -> {:stderr, data}
          end
        end

      assert Enum.sort(outputs) == [stderr: "err\n", stdout: "out\n"]
    end

    test "the end, to an owner that traps exits" do
      Process.flag(:trap_exit, true)
      {:ok, ps} = Penning.open("false", [])
      assert_receive {:EXIT, ^ps, {:exit_status, 1}}
    end

    test "connect" do
      test = self()
      {:ok, ps} = Penning.open("cat", [])

      new_pid =
        spawn_link(fn ->
          receive do
            {^ps, {:data, data}} -> send(test, {:new_owner, data})
          end

          receive do: (:never -> :ok)
        end)

      send(ps, {self(), {:connect, new_pid}})
      assert_receive {^ps, :connected}
      send(ps, {new_pid, {:command, "hello"}})
      assert_receive {:new_owner, "hello"}
      Process.unlink(new_pid)
      Process.exit(new_pid, :kill)
    end

    test "the functions" do
      {:ok, ps} = Penning.open("cat", [])
      assert Penning.command(ps, "hello") == :ok
      assert_receive {^ps, {:data, "hello"}}
      assert Penning.os_pid(ps) |> is_integer()
      assert Penning.connect(ps, self()) == :ok
      assert_receive {^ps, :connected}
      assert Penning.close(ps) == :ok
      assert_receive {^ps, :closed}
      assert Penning.executable_path() |> File.exists?()
    end
  end

  describe "callback module mode" do
    test "MyWorker under a supervisor" do
      args = [program: program("echo out; read x"), test: self()]
      children = [{MyWorker, args}]
      {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
      assert_receive {:init, pid}
      assert_receive {:stdout, ^pid, "out\n"}
      Penning.close(pid)
      assert_receive {^pid, :closed}
      assert_receive {:exit, ^pid, :shutdown, "out\n"}
      # permanent, and so it is there again
      assert_receive {:init, again} when again != pid
      Supervisor.stop(supervisor)
    end

    test "handle_stderr and handle_exit" do
      Process.flag(:trap_exit, true)

      printed =
        capture_io(:stderr, fn ->
          {:ok, pid} =
            MyWorker.start_link(program: program("echo oops >&2; exit 3"), test: self())

          assert_receive {:exit, ^pid, {:exit_status, 3}, ""}
          assert_receive {:EXIT, ^pid, {:exit_status, 3}}
        end)

      assert printed =~ "oops\n"
    end
  end

  test "ping: nothing outlives the process that runs it" do
    test = self()
    ping = program("while :; do sleep 1; done")

    pid =
      spawn(fn ->
        {:ok, ps} = Penning.open(ping, [])
        send(test, {:os_pid, Penning.os_pid(ps)})
        receive do: (:never -> :ok)
      end)

    assert_receive {:os_pid, os_pid}
    Process.exit(pid, :oops)
    assert eventually(fn -> not running?(os_pid) end)
  end

  describe "options" do
    test "that it documents are all there" do
      opts = [
        cd: "/tmp",
        env: %{"A" => "1"},
        arg0: "name",
        cgroup_controllers: ["cpu"],
        cgroup_base: "mycgroup",
        cgroup_sets: [
          {"cpu", "cpu.cfs_period_us", "100000"},
          {"cpu", "cpu.cfs_quota_us", "50000"}
        ],
        delay_to_sigkill: 500,
        uid: 65_534,
        gid: "nogroup",
        stdio_window: 10_240
      ]

      options = Penning.Options.new!("cat", [], opts)
      assert Map.keys(options.wire) == Enum.sort(Keyword.keys(opts))
      assert Penning.Options.new!("cat", [], cgroup_path: "mycgroup/one").wire.cgroup_path

      # those of MuonTrap that it has left out, too
      for name <- [:stderr_to_stdout, :capture_stderr_only, :parallelism, :into, :log_output] do
        assert_raise ArgumentError, ~r/option #{inspect(name)} /, fn ->
          Penning.open("cat", [], [{name, true}])
        end
      end
    end

    test "of an ordinary process do what they say" do
      opts = [
        cd: "/tmp",
        env: %{"A" => "1"},
        arg0: "name",
        delay_to_sigkill: 100,
        stdio_window: 10
      ]

      {:ok, result} = Penning.run("/bin/sh", ["-c", "pwd; echo $A; echo $0"], opts)
      assert result.out == "/tmp\n1\nname\n"
    end

    # A group that is made for this test alone, and which it leaves as the last.
    defp base_group do
      name = "penning_test_#{System.unique_integer([:positive])}_#{System.pid()}"

      on_exit(fn ->
        "/sys/fs/cgroup/{.,*}/#{name}" |> Path.wildcard() |> Enum.each(&File.rmdir/1)
      end)

      name
    end

    test "of a control group contain what is left, or are refused in words" do
      Process.flag(:trap_exit, true)
      spawning_program = program("sleep 1000 & echo $!; exit 0")

      for more <- [
            [cgroup_controllers: ["cpu"]],
            [
              cgroup_controllers: ["memory"],
              cgroup_sets: [{"memory", "memory.limit_in_bytes", "268435456"}]
            ],
            [
              cgroup_controllers: ["cpu"],
              cgroup_sets: [
                {"cpu", "cpu.cfs_period_us", "100000"},
                {"cpu", "cpu.cfs_quota_us", "50000"}
              ]
            ]
          ] do
        name = base_group()

        try do
          case Penning.open(spawning_program, [], [cgroup_base: name] ++ more) do
            {:ok, ps} ->
              assert {left, "", :normal} = collect(ps)
              refute running?(String.trim(left))

            {:error, posix} ->
              assert posix in [:eacces, :eperm, :enoent, :erofs]
          end
        rescue
          # a machine without such a group, or one that we must not write to
          error in ArgumentError -> assert error.message =~ "invalid option :cgroup_"
        end
      end
    end
  end
end
