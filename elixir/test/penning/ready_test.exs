defmodule Penning.ReadyTest do
  use Penning.Case, async: true

  alias Penning.TestWorker

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  @never {:stdout, "never"}

  # A folder of the test's own, and a script that goes on once `go` is there.
  defp folder do
    path = Path.join(System.tmp_dir!(), "penning-ready-#{System.unique_integer([:positive])}")
    File.mkdir_p!(path)
    on_exit(fn -> File.rm_rf(path) end)
    path
  end

  defp gone?(os_pid), do: not File.exists?("/proc/#{os_pid}")

  # The pid that a script has written there.
  defp pid_in(folder) do
    path = Path.join(folder, "pid")
    assert eventually(fn -> match?({:ok, <<_, _::binary>>}, File.read(path)) end)
    path |> File.read!() |> String.trim()
  end

  describe "open" do
    test "returns once the check has passed, and hands over what was written before" do
      folder = folder()

      script =
        "echo early; echo error >&2; echo $$ >pid; until [ -e go ]; do sleep 0.01; done; " <>
          "echo is up; cat"

      opener = Task.async(fn -> open_and_return(script, cd: folder, ready: {:stdout, "up"}) end)
      pid_in(folder)
      assert Task.yield(opener, 0) == nil
      File.write!(Path.join(folder, "go"), "")
      ps = Task.await(opener)
      assert_receive {^ps, {:data, "early\n"}}
      assert_receive {^ps, {:error, "error\n"}}
      assert_receive {^ps, {:data, "is up\n"}}
      assert is_integer(Penning.os_pid(ps))
      Penning.command(ps, "later\n")
      assert_receive {^ps, {:data, "later\n"}}
      Penning.close(ps)
      assert_receive {^ps, :closed}
    end

    # The test becomes its owner.
    defp open_and_return(script, opts) do
      [test | _] = Process.get(:"$callers")
      {:ok, ps} = sh(script, opts)
      forward(ps, test)
    end

    defp forward(ps, test) do
      receive do
        {^ps, {:data, "is up\n"}} = last ->
          send(test, last)
          Penning.connect(ps, test)
          ps

        {^ps, _} = message ->
          send(test, message)
          forward(ps, test)
      end
    end

    test "lets a program write more than the window before it is ready" do
      {:ok, ps} =
        sh("head -c 300000 /dev/zero; echo; echo up; exit 7",
          ready: {:stdout, "up"},
          stdio_window: 1000
        )

      assert {data, "", {:exit_status, 7}} = collect(ps)
      assert byte_size(data) == 300_000 + byte_size("\nup\n")
    end

    test "keeps what is written before it is ready, up to a limit" do
      {:ok, ps} = sh("head -c 20000000 /dev/zero; exit 7", ready: {:command, "sleep", ["1"]})

      assert {data, "", {:exit_status, 7}} = collect(ps)
      assert byte_size(data) == 20_000_000
    end

    test "fails with the reason of an early end, and leaves no message" do
      assert sh("echo x; exit 3", ready: @never) == {:error, {:exit_status, 3}}
      assert sh("head -c 300000 /dev/zero; exit 4", ready: @never) == {:error, {:exit_status, 4}}
      refute_received _
    end

    test "gives up after start_timeout, with the process gone" do
      folder = folder()
      script = "trap '' TERM; echo $$ >pid; while :; do sleep 1000; done"
      opts = [cd: folder, ready: @never, start_timeout: 1_500]
      assert sh(script, opts) == {:error, :timeout}
      assert gone?(pid_in(folder))
      refute_received _
    end

    test "gives up a program that is up too late, though it floods" do
      # on a machine that is busy one or the other may be up in no time
      results = for _ <- 1..20, do: sh("yes", start_timeout: 0)
      assert {:error, :timeout} in results
      for {:ok, ps} <- results, do: Process.exit(ps, :kill)
      for {:error, reason} <- results, do: assert(reason == :timeout)
    end

    test "that waits blocks nobody" do
      folder = folder()
      task = Task.async(fn -> sh("echo $$ >pid; exec cat", cd: folder, ready: @never) end)
      os_pid = pid_in(folder)
      {:ok, ps} = Penning.open("echo", ["hello"])
      assert collect(ps) == {"hello\n", "", :normal}
      kill(os_pid)
      assert Task.await(task) == {:error, {:signal, 9}}
    end

    test "whose owner is killed leaves nothing behind" do
      folder = folder()
      script = "trap '' TERM; echo $$ >pid; while :; do sleep 1000; done"
      owner = spawn(fn -> sh(script, cd: folder, ready: @never) end)
      os_pid = pid_in(folder)
      Process.exit(owner, :kill)
      assert eventually(fn -> gone?(os_pid) end)
    end
  end

  describe "start_link" do
    test "returns once the check has passed; callbacks hear what was written before, in order" do
      test = self()
      state = %{test: test, seen: ""}
      continued = fn state -> send(test, {:continued, state.seen}) && {:noreply, state} end
      init = fn -> {:ok, state, {:continue, continued}} end
      script = "seq 1 50000; echo up; cat"
      opts = [ready: {:stdout, "up"}, stdio_window: 1000]
      {:ok, pid} = Penning.start_link(TestWorker, "/bin/sh", ["-c", script], init, opts)
      assert_receive {:continued, ""}
      seen = GenServer.call(pid, :seen)
      assert seen == Enum.map_join(1..50_000, &"#{&1}\n") <> "up\n"
      Penning.command(pid, "more\n")
      assert_receive {:stdout, ^pid, "more\n"}
      GenServer.stop(pid)
    end

    test "hands over all that was written before, though a callback stops" do
      test = self()
      stop = fn state -> {:stop, :normal, state} end
      init = fn -> {:ok, %{test: test, seen: ""}, {:continue, stop}} end
      script = "seq 1 50000; echo up; cat"
      opts = [ready: {:stdout, "up"}, stdio_window: 1000]
      Process.flag(:trap_exit, true)
      {:ok, pid} = Penning.start_link(TestWorker, "/bin/sh", ["-c", script], init, opts)
      assert_receive {:EXIT, ^pid, :normal}
      assert heard(pid, "") == Enum.map_join(1..50_000, &"#{&1}\n") <> "up\n"
    end

    test "gives up after start_timeout, calls terminate, and spares the caller" do
      folder = folder()
      opts = [cd: folder, ready: @never, start_timeout: 1_500]
      args = ["-c", "echo $$ >pid; exec cat"]
      task = Task.async(fn -> Penning.start_link(TestWorker, "/bin/sh", args, self(), opts) end)
      assert Task.await(task) == {:error, :timeout}
      assert gone?(pid_in(folder))
    end

    test "whose parent is killed leaves nothing behind" do
      folder = folder()
      args = ["-c", "echo $$ >pid; exec cat"]
      opts = [cd: folder, ready: @never]
      parent = spawn(fn -> Penning.start_link(TestWorker, "/bin/sh", args, self(), opts) end)
      os_pid = pid_in(folder)
      Process.exit(parent, :kill)
      assert eventually(fn -> gone?(os_pid) end)
    end

    test "is restarted after a brutal kill only when its OS process is gone" do
      spec =
        {Penning,
         {TestWorker, "/bin/sh", ["-c", "echo up; exec cat"], self(), ready: {:stdout, "up"}}}

      start_supervised!(%{
        id: :s,
        start: {Supervisor, :start_link, [[spec], [strategy: :one_for_one]]}
      })

      assert_receive {:init, pid}
      os_pid = Penning.os_pid(pid)
      Process.exit(pid, :kill)
      assert_receive {:init, new} when new != pid
      assert is_integer(Penning.os_pid(new))
      assert gone?(os_pid)
    end
  end

  test "every kind of check passes" do
    folder = folder()
    up = Path.join(folder, "up")

    for ready <- [
          {:file, up},
          {:file, "up"},
          {:command, "test", ["-e", "up"]},
          [check: {:file, up}, interval: 5],
          %{check: {:file, up}}
        ] do
      assert {:ok, ps} =
               sh("rm -f up; : >up; exec cat", cd: folder, ready: ready, start_timeout: 9_000)

      Penning.close(ps)
      assert_receive {^ps, :closed}
    end

    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, port} = :inet.port(socket)
    assert {:ok, _} = sh("exec cat", ready: {:tcp, "127.0.0.1", port})
    path = Path.join(folder, "socket")
    {:ok, _} = :gen_tcp.listen(0, ifaddr: {:local, path})
    assert {:ok, _} = sh("exec cat", ready: {:unix, path})
  end

  test "bad ones name option and value, and start nothing" do
    for {option, value} <- [
          ready: 7,
          ready: [],
          ready: {:stdout, ""},
          ready: {:stdout, "a\nb"},
          ready: {:stdout, 7},
          ready: {:tcp, "127.0.0.1", 0},
          ready: {:tcp, "127.0.0.1", 70_000},
          ready: {:tcp, "no address", 80},
          ready: {:tcp, 7, 80},
          ready: {:tcp, <<255>>, 80},
          ready: {:unix, ""},
          ready: {:unix, String.duplicate("x", 200)},
          ready: {:file, "a\0b"},
          ready: {:file, 7},
          ready: {:command, "", []},
          ready: {:command, "true", 7},
          ready: {:command, "true", [7]},
          ready: [interval: 5],
          ready: [check: {:file, "x"}, interval: 0],
          ready: %{check: {:file, "x"}, often: 1},
          start_timeout: -1,
          start_timeout: "x",
          start_timeout: 1.5
        ] do
      error = assert_raise ArgumentError, fn -> Penning.open("cat", [], [{option, value}]) end
      assert error.message =~ "invalid option #{inspect(option)} with value "
      assert error.message =~ inspect(value, binaries: :as_strings)
    end
  end

  # What a TestWorker that has ended has told of its stdout.
  defp heard(pid, seen) do
    receive do
      {:stdout, ^pid, data} -> heard(pid, seen <> data)
    after
      0 -> seen
    end
  end
end
