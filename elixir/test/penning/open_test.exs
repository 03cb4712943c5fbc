defmodule Penning.OpenTest do
  use Penning.Case, async: true

  # for programs that need a moment after SIGTERM, on a machine that is busy
  @patient [delay_to_sigkill: 10_000]

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  describe "output" do
    test "of the documented example" do
      {:ok, ps} = Penning.open("echo", ["hello"])
      assert_receive {^ps, {:data, "hello\n"}}
      assert_receive {:EXIT, ^ps, :normal}
    end

    test "keeps stdout and stderr apart" do
      {:ok, ps} = sh("echo out; echo err >&2; echo out again")
      assert collect(ps) == {"out\nout again\n", "err\n", :normal}
    end

    test "comes before the end, however quickly the program ends" do
      for _ <- 1..20 do
        {:ok, ps} = sh("head -c 60000 /dev/zero; exit 5")
        assert {data, "", {:exit_status, 5}} = collect(ps)
        assert byte_size(data) == 60_000
      end
    end

    test "comes whole through the smallest window" do
      {:ok, ps} = sh("echo abc; echo def >&2", stdio_window: 1)
      assert collect(ps) == {"abc\n", "def\n", :normal}
    end

    test "of a flood of 64 MiB is complete and in order" do
      # 2^23 numbers of 7 digits and a newline
      {expected, 0} = System.cmd("/bin/sh", ["-c", "seq -w 1 8388608 | sha256sum"])
      {:ok, ps} = Penning.open("seq", ["-w", "1", "8388608"])
      {bytes, hash} = digest(ps, 0, :crypto.hash_init(:sha256))
      assert bytes == 64 * 1024 * 1024
      assert String.starts_with?(expected, Base.encode16(hash, case: :lower))
    end

    test "of a flood on stderr alone does not stop at the window" do
      {:ok, ps} = sh("head -c 1000000 /dev/zero >&2; echo done")
      assert {"done\n", error, :normal} = collect(ps)
      assert byte_size(error) == 1_000_000
    end

    defp digest(ps, bytes, hash) do
      receive do
        {^ps, {:data, data}} ->
          digest(ps, bytes + byte_size(data), :crypto.hash_update(hash, data))

        {:EXIT, ^ps, :normal} ->
          {bytes, :crypto.hash_final(hash)}
      after
        60_000 -> flunk("the flood stopped after #{bytes} bytes")
      end
    end
  end

  describe "input" do
    test "reaches the program and comes back" do
      {:ok, ps} = Penning.open("cat", [])
      send(ps, {self(), {:command, "hello"}})
      assert_receive {^ps, {:data, "hello"}}
      :ok = Penning.command(ps, ["wor", [?l], "d"])
      assert_receive {^ps, {:data, "world"}}
      Penning.close(ps)
      assert_receive {^ps, :closed}
    end

    test "carries a session" do
      {:ok, ps} = sh("while read a b; do echo $((a * b)); done; echo bye")

      for {question, answer} <- [{"2 3\n", "6"}, {"10 10\n", "100"}] do
        Penning.command(ps, question)
        assert line(ps) == answer
      end

      Penning.close_stdin(ps)
      assert collect(ps) == {"bye\n", "", :normal}
    end

    test "of 8 MiB comes back through cat, whole" do
      bytes = :crypto.strong_rand_bytes(8 * 1024 * 1024)
      {:ok, ps} = Penning.open("cat", [])
      Penning.command(ps, bytes)
      Penning.close_stdin(ps)
      assert {^bytes, "", :normal} = collect(ps)
    end

    test "waits for a program that does not read, and disturbs nobody" do
      {:ok, deaf} = sh("read line; echo $line; cat >/dev/null; echo read it", stdio_window: 4096)
      {:ok, ps} = Penning.open("cat", [])
      Penning.command(deaf, :binary.copy("x", 1_000_000))
      Penning.command(ps, "hello")
      assert_receive {^ps, {:data, "hello"}}
      Penning.close(ps)
      assert_receive {^ps, :closed}

      # what waits is in the proxy, in order: the line ends only now
      Penning.command(deaf, "\n")
      Penning.close_stdin(deaf)
      assert {data, "", :normal} = collect(deaf)
      assert byte_size(data) == 1_000_000 + byte_size("\nread it\n")
    end

    test "ends with close_stdin while output goes on" do
      {:ok, ps} = sh("wc -c; echo still here")
      Penning.command(ps, "12345")
      send(ps, {self(), :close_stdin})
      Penning.command(ps, "dropped")
      assert {data, "", :normal} = collect(ps)
      assert String.split(data) == ["5", "still", "here"]
    end

    test "to a program that has closed its stdin is dropped, its end is told" do
      {:ok, ps} = sh("exec 0<&-; echo ready; while :; do :; done")
      assert line(ps) == "ready"
      Penning.command(ps, :binary.copy("x", 1_000_000))
      kill(Penning.os_pid(ps))
      assert_receive {:EXIT, ^ps, {:signal, 9}}
    end

    test "that is no iodata is the caller's mistake" do
      {:ok, ps} = Penning.open("cat", [])
      assert_raise ArgumentError, fn -> Penning.command(ps, [:no]) end
      send(ps, {self(), {:command, :neither}})
      Penning.command(ps, "alive")
      assert_receive {^ps, {:data, "alive"}}
    end
  end

  describe "the end" do
    test "tells status and signal apart" do
      for {script, reason} <- [
            {"exit 0", :normal},
            {"exit 1", {:exit_status, 1}},
            {"exit 9", {:exit_status, 9}},
            {"exit 137", {:exit_status, 137}},
            {"exit 255", {:exit_status, 255}},
            {"kill -KILL $$", {:signal, 9}},
            {"kill -TERM $$", {:signal, 15}}
          ] do
        {:ok, ps} = sh(script)
        assert_receive {:EXIT, ^ps, ^reason}
      end
    end

    test "is told exactly once" do
      {:ok, ps} = sh("exit 3")
      monitor = Process.monitor(ps)
      assert_receive {:EXIT, ^ps, {:exit_status, 3}}
      assert_receive {:DOWN, ^monitor, :process, ^ps, _}
      refute_received {:EXIT, ^ps, _}
    end

    test "that is abnormal ends an owner that traps no exits, as any link does" do
      test = self()

      owner =
        spawn(fn ->
          {:ok, _ps} = sh("read go; exit 4")
          send(test, :opened)
          receive do: (:never -> :ok)
        end)

      monitor = Process.monitor(owner)
      assert_receive :opened
      {:links, [ps]} = Process.info(owner, :links)
      send(ps, {owner, {:command, "go\n"}})
      assert_receive {:DOWN, ^monitor, :process, ^owner, {:exit_status, 4}}
    end

    test "of a normal kind spares an owner that traps no exits" do
      task =
        Task.async(fn ->
          {:ok, ps} = Penning.open("true", [])
          monitor = Process.monitor(ps)
          assert_receive {:DOWN, ^monitor, :process, ^ps, reason}
          reason
        end)

      # already gone, perhaps, when it was monitored
      assert Task.await(task) in [:normal, :noproc]
    end

    test "takes the pid away" do
      {:ok, ps} = sh("echo $$; read go")
      os_pid = Penning.os_pid(ps)
      assert line(ps) == Integer.to_string(os_pid)
      assert running?(os_pid)
      Penning.command(ps, "go\n")
      assert_receive {:EXIT, ^ps, :normal}
      refute File.exists?("/proc/#{os_pid}")
      assert Penning.os_pid(ps) == nil
    end
  end

  describe "close" do
    test "is answered when the process is gone" do
      {:ok, ps} = Penning.open("sleep", ["1000"])
      os_pid = Penning.os_pid(ps)
      send(ps, {self(), :close})
      assert_receive {^ps, :closed}
      refute File.exists?("/proc/#{os_pid}")
      assert_receive {:EXIT, ^ps, :shutdown}
      refute_received {^ps, :closed}
    end

    test "kills what ignores SIGTERM, after delay_to_sigkill" do
      {:ok, ps} =
        sh("trap '' TERM; echo ready; while :; do sleep 0.1; done", delay_to_sigkill: 100)

      assert line(ps) == "ready"
      Penning.close(ps)
      assert_receive {^ps, :closed}
      assert_receive {:EXIT, ^ps, :shutdown}
    end

    test "hands over what the program says at its end" do
      {:ok, ps} =
        sh("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done", @patient)

      assert line(ps) == "ready"
      Penning.close(ps)
      assert_receive {^ps, {:data, "bye\n"}}
      assert_receive {^ps, :closed}
      assert_receive {:EXIT, ^ps, :shutdown}
    end

    test "spares the owner that asked for it, traps or not" do
      task =
        Task.async(fn ->
          {:ok, ps} = Penning.open("cat", [])
          monitor = Process.monitor(ps)
          Penning.close(ps)
          assert_receive {^ps, :closed}
          assert_receive {:DOWN, ^monitor, :process, ^ps, :shutdown}
          :spared
        end)

      assert Task.await(task) == :spared
    end

    test "twice is once" do
      {:ok, ps} = Penning.open("cat", [])
      Penning.close(ps)
      Penning.close(ps)
      Penning.command(ps, "too late")
      assert_receive {^ps, :closed}
      assert_receive {:EXIT, ^ps, :shutdown}
      assert_received {^ps, {:exited, _, {:signal, 15, false}, _}}
      refute_received {^ps, _}
      assert Penning.close(ps) == :ok
    end
  end

  describe "the owner" do
    test "can be changed" do
      test = self()
      {:ok, ps} = Penning.open("cat", [])

      new =
        spawn(fn ->
          Process.flag(:trap_exit, true)
          send(test, :ready)
          forward(test)
        end)

      assert_receive :ready
      send(ps, {self(), {:connect, new}})
      assert_receive {^ps, :connected}
      # the owner of before is none now
      Penning.command(ps, "from the old one")
      send(ps, {new, {:command, "from the new one"}})
      assert_receive {:new, {^ps, {:data, "from the new one"}}}
      send(ps, {new, :close})
      assert_receive {:new, {^ps, :closed}}
      assert_receive {:new, {:EXIT, ^ps, :shutdown}}
      refute_received {:EXIT, ^ps, _}
    end

    defp forward(test) do
      receive do
        message -> send(test, {:new, message})
      end

      forward(test)
    end

    test "may be set to itself" do
      {:ok, ps} = Penning.open("cat", [])
      Penning.connect(ps, self())
      assert_receive {^ps, :connected}
      Penning.close(ps)
      assert_receive {:EXIT, ^ps, :shutdown}
    end

    test "is the only one who is heard" do
      {:ok, ps} = Penning.open("cat", [])
      me = self()

      Task.async(fn ->
        Penning.command(ps, "not mine")
        Penning.close_stdin(ps)
        Penning.connect(ps, self())
        Penning.close(ps)
      end)
      |> Task.await()

      send(ps, {me, {:command, "mine"}})
      assert_receive {^ps, {:data, "mine"}}
      refute_received {^ps, _}
    end

    test "takes its child along, whatever it dies of" do
      for reason <- [:normal, :shutdown, :boom, :kill] do
        test = self()

        owner =
          spawn(fn ->
            {:ok, ps} =
              sh("trap '' TERM; echo ready; while :; do sleep 0.1; done", delay_to_sigkill: 50)

            assert line(ps) == "ready"
            send(test, {ps, Penning.os_pid(ps)})
            receive do: (reason -> exit(reason))
          end)

        assert_receive {ps, os_pid} when is_pid(ps)
        monitor = Process.monitor(ps)
        if reason == :kill, do: Process.exit(owner, :kill), else: send(owner, reason)
        assert_receive {:DOWN, ^monitor, :process, ^ps, told}
        assert told == if(reason == :kill, do: :killed, else: reason)
        refute File.exists?("/proc/#{os_pid}")
      end
    end
  end

  describe "the proxy" do
    test "that is killed brutally takes its child along" do
      {:ok, ps} = sh("trap '' TERM; echo ready; yes; echo never")
      assert_receive {^ps, {:data, _}}
      os_pid = Penning.os_pid(ps)
      Process.exit(ps, :kill)
      assert_receive {:EXIT, ^ps, :killed}
      assert eventually(1_000, fn -> not File.exists?("/proc/#{os_pid}") end)
    end

    test "that gets an exit signal stops its child first" do
      {:ok, ps} = Penning.open("sleep", ["1000"])
      os_pid = Penning.os_pid(ps)
      # from anybody but its owner, normal means nothing
      Task.async(fn -> Process.exit(ps, :normal) end) |> Task.await()
      assert Penning.os_pid(ps) == os_pid
      Process.exit(ps, :because)
      assert_receive {:EXIT, ^ps, :because}
      refute File.exists?("/proc/#{os_pid}")
    end

    test "that is stopped as a GenServer stops its child first" do
      {:ok, ps} =
        sh("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done", @patient)

      assert line(ps) == "ready"
      os_pid = Penning.os_pid(ps)
      :ok = GenServer.stop(ps)
      refute File.exists?("/proc/#{os_pid}")
      assert_received {^ps, {:data, "bye\n"}}
      assert_receive {:EXIT, ^ps, :normal}
    end

    test "answers what it does not know" do
      {:ok, ps} = Penning.open("cat", [])
      assert GenServer.call(ps, :what) == {:error, {:unknown_call, :what}}
      GenServer.cast(ps, :what)
      send(ps, :what)
      Penning.command(ps, "alive")
      assert_receive {^ps, {:data, "alive"}}
    end
  end

  describe "options" do
    test "cd, env, arg0" do
      {:ok, ps} = sh("pwd; echo $A; echo ${B-unset}", cd: "/tmp", env: %{"A" => "1", B: nil})
      assert collect(ps) == {"/tmp\n1\nunset\n", "", :normal}

      {:ok, ps} = Penning.open("/bin/sh", ["-c", "cat /proc/$$/cmdline"], arg0: "my name")
      assert {"my name" <> _, "", :normal} = collect(ps)
    end

    test "unset a variable that the port program has" do
      {:ok, ps} = Penning.open("/usr/bin/env", [], env: [PATH: nil, PENNING_TEST: "1"])
      assert {environment, "", :normal} = collect(ps)
      assert environment =~ "PENNING_TEST=1\n"
      refute environment =~ ~r/^PATH=/m
    end

    test "that are bad raise in the caller, and start nothing" do
      assert_raise ArgumentError, ~r/:stdio_window with value -1/, fn ->
        Penning.open("cat", [], stdio_window: -1)
      end

      assert_raise ArgumentError, ~r/:umask with value "022"/, fn ->
        Penning.open("cat", [], umask: "022")
      end
    end

    test "that only the port program can judge raise alike" do
      assert_raise ArgumentError, ~r/:cd with value "\/nowhere\/at\/all": /, fn ->
        Penning.open("cat", [], cd: "/nowhere/at/all")
      end

      assert_raise ArgumentError, ~r/:cd with value "\/etc\/passwd": /, fn ->
        Penning.open("cat", [], cd: "/etc/passwd")
      end

      assert_raise ArgumentError, ~r/:uid with value "no-such-user": /, fn ->
        Penning.open("cat", [], uid: "no-such-user")
      end

      assert_raise ArgumentError, ~r/:pty with value \[rows: 70000\]: rows: must be /, fn ->
        Penning.open("cat", [], pty: [rows: 70_000])
      end
    end
  end

  describe "a program" do
    test "that is not there" do
      assert Penning.open("no-such-program-anywhere") == {:error, :enoent}
      assert Penning.open("/no/such/program", []) == {:error, :enoent}
      refute_receive {:EXIT, _, _}, 50
    end

    test "that must not be executed" do
      assert Penning.open("/etc/passwd", []) == {:error, :eacces}
    end

    test "that is not there spares a caller that traps no exits" do
      assert Task.async(fn -> Penning.open("no-such-program-anywhere") end) |> Task.await() ==
               {:error, :enoent}
    end
  end

  test "200 children at once, each with its own bytes and its own end" do
    1..200
    |> Enum.map(fn n ->
      Task.async(fn ->
        Process.flag(:trap_exit, true)
        {:ok, ps} = sh("read line; echo $line; exit #{rem(n, 100)}")
        Penning.command(ps, "number #{n}\n")
        {n, collect(ps)}
      end)
    end)
    |> Task.await_many(60_000)
    |> Enum.each(fn {n, result} ->
      reason = if rem(n, 100) == 0, do: :normal, else: {:exit_status, rem(n, 100)}
      assert result == {"number #{n}\n", "", reason}
    end)
  end
end
