defmodule Penning.StreamsTest do
  use Penning.Case, async: true

  alias Penning.TestWorker

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  describe "output" do
    test "comes by lines, of which a long one comes in pieces" do
      {:ok, ps} = sh("printf 'one\\n\\nlonger\\nrest'", stdout_delivery: [max_length: 4])

      for part <- [eol: "one", eol: "", noeol: "long", eol: "er", noeol: "rest"],
          do: assert_receive({^ps, {:data, ^part}})

      assert_receive {:EXIT, ^ps, :normal}
    end

    test "comes by records, each stream in its own way" do
      opts = [stdout_delivery: [delimiter: <<0>>], stderr_delivery: :lines]
      {:ok, ps} = sh("printf 'a\\nb\\0c\\0'; echo bad >&2", opts)
      assert_receive {^ps, {:data, {:eol, "a\nb"}}}
      assert_receive {^ps, {:data, {:eol, "c"}}}
      assert_receive {^ps, {:error, {:eol, "bad"}}}
      assert_receive {:EXIT, ^ps, :normal}
    end

    test "of empty lines alone is acknowledged as well" do
      {:ok, ps} = sh("yes '' | head -n 100000", stdout_delivery: :lines, stdout_window: 100)
      assert lines(ps) == 100_000
    end

    defp lines(ps, got \\ 0) do
      receive do
        {^ps, {:data, {:eol, ""}}} -> lines(ps, got + 1)
        {:EXIT, ^ps, :normal} -> got
      end
    end

    test "comes by lines to a callback module" do
      {:ok, pid} = TestWorker.start_link({"printf", ["a\\nb"], self(), stdout_delivery: :lines})

      assert_receive {:stdout, ^pid, {:eol, "a"}}
      assert_receive {:stdout, ^pid, {:noeol, "b"}}
      assert_receive {:exit, ^pid, :normal}
    end

    test "comes by lines from supervised children" do
      test = self()
      output = fn id, stream, line -> send(test, {id, stream, line}) end
      script = "printf 'one\\ntwo'; exec sleep 1000"
      child = %{id: :a, start: {"sh", ["-c", script], stdout_delivery: :lines}}
      {:ok, supervisor} = Penning.Supervisor.start_link([child], output: output)
      assert_receive {:a, :stdout, {:eol, "one"}}
      :ok = Penning.Supervisor.stop(supervisor)
      assert_receive {:a, :stdout, {:noeol, "two"}}
    end

    test "of one stream has its own window" do
      on_stdout = fn _, _ -> receive do: (:never -> :ok) end
      test = self()
      init = fn -> {:ok, %{test: test, seen: "", on_stdout: on_stdout}} end
      opts = [stdout_window: 7]
      {:ok, pid} = TestWorker.start_link({"yes", [], init, opts})
      assert_receive {:stdout, ^pid, got}
      # a request is answered after what was sent before it
      {:ok, _} = Penning.Port.info()
      {:messages, messages} = Process.info(pid, :messages)
      waiting = for {:"$penning", {:message, _, {:data, bytes}}} <- messages, do: bytes
      assert IO.iodata_length([got | waiting]) <= 7
      Process.exit(pid, :kill)
      assert_receive {:EXIT, ^pid, :killed}
    end

    test "in bad options names option and value" do
      for {opts, text} <- [
            {[stdout_delivery: :words], "invalid option :stdout_delivery with value :words"},
            {[stdout_delivery: [delimiter: ""]], "delimiter: expected a binary"},
            {[stderr_delivery: [max_length: 0]],
             "max_length: expected an integer greater than 0"},
            {[stderr_window: 0], "invalid option :stderr_window with value 0"},
            {[stdin_limit: -1], "invalid option :stdin_limit with value -1"}
          ] do
        error = assert_raise ArgumentError, fn -> sh(":", opts) end
        assert error.message =~ text
      end

      # only the port program knows these bounds
      for opts <- [
            [stdout_delivery: [delimiter: String.duplicate("x", 257)]],
            [stdout_delivery: [max_length: 2_147_483_648]]
          ] do
        error = assert_raise ArgumentError, fn -> sh(":", opts) end
        assert error.message =~ "invalid option :stdout_delivery with value"
      end
    end
  end

  describe "stdin" do
    test "tells that it is busy, and ready again" do
      script = "trap 'exec cat >/dev/null' USR1; echo up; while :; do sleep 0.01; done"
      {:ok, ps} = sh(script, stdin_window: 100_000)
      assert line(ps) == "up"
      Penning.command(ps, :binary.copy("x", 150_000))
      assert_receive {^ps, {:stdin_busy, 150_000}}
      # a pipe has taken its part of it
      refute_received {^ps, :stdin_ready}
      :ok = Penning.signal(ps, :usr1)
      assert_receive {^ps, :stdin_ready}
      Penning.close(ps)
    end

    test "tells a new owner that it is busy" do
      {:ok, ps} = Penning.open("sleep", ["1000"], stdin_window: 10)
      Penning.command(ps, :binary.copy("x", 1_000_000))
      assert_receive {^ps, {:stdin_busy, 1_000_000}}
      test = self()

      new =
        spawn_link(fn ->
          receive do: ({^ps, told} -> send(test, {:told, told}))
          receive do: (:never -> :ok)
        end)

      Penning.connect(ps, new)
      assert_receive {^ps, :connected}
      assert_receive {:told, {:stdin_busy, queued}}
      assert queued > 10
      Process.unlink(new)
      Process.exit(new, :kill)
    end

    test "refuses what would wait beyond its limit, and what comes after its end" do
      {:ok, ps} = Penning.open("sleep", ["1000"], stdin_window: 10, stdin_limit: 1_000_000)
      # a pipe may take something of it
      Penning.command(ps, :binary.copy("x", 2_000_000))
      Penning.command(ps, "hello")
      assert_receive {^ps, {:stdin_refused, 5, :eagain}}
      Penning.close_stdin(ps)
      Penning.command(ps, "late")
      assert_receive {^ps, {:stdin_refused, 4, :epipe}}
      Penning.close(ps)
      assert_receive {^ps, :closed}
    end

    test "that is closed is told" do
      {:ok, ps} = sh("exec 0<&-; echo ready; exec sleep 1000")
      assert line(ps) == "ready"
      # a child that another test starts just now has a copy of it until it executes
      assert eventually(fn -> Penning.command(ps, "x") && closed?(ps) end)
      Penning.command(ps, "xyz")
      assert_receive {^ps, {:stdin_refused, 3, :epipe}}
      assert running?(Penning.os_pid(ps))
      Penning.close(ps)
      assert_receive {^ps, :closed}
    end

    defp closed?(ps) do
      receive do
        {^ps, {:stdin_closed, :epipe}} -> true
      after
        0 -> false
      end
    end

    test "of a program that never reads stays bounded, and disturbs nobody" do
      {:ok, deaf} = Penning.open("sleep", ["1000"])
      {:ok, ps} = Penning.open("cat", [])
      piece = :binary.copy("x", 65_536)
      for _ <- 1..1600, do: Penning.command(deaf, piece)
      assert_receive {^deaf, {:stdin_refused, 65_536, :eagain}}, 5_000
      Penning.command(ps, "hello")
      assert_receive {^ps, {:data, "hello"}}
      %{child: child} = :sys.get_state(deaf)
      assert Penning.Input.queued(child.input) <= 16 * 1024 * 1024
      Penning.close(deaf)
      assert_receive {^deaf, :closed}
    end

    test "is told to a callback module, if it wants to know" do
      {:ok, pid} = TestWorker.start_link({"sleep", ["1000"], self(), stdin_window: 1})
      Penning.command(pid, "ab")
      assert_receive {:stdin, ^pid, {:stdin_busy, 2}}
      Penning.close_stdin(pid)
      Penning.command(pid, "abc")
      assert_receive {:stdin, ^pid, {:stdin_refused, 3, :epipe}}
      Penning.close(pid)
      assert_receive {^pid, :closed}
    end

    test "concerns no callback module that does not ask" do
      log =
        ExUnit.CaptureLog.capture_log(fn ->
          opts = [stdin_window: 1, stdin_limit: 1]
          {:ok, pid} = Penning.start_link(Penning.BareWorker, "sleep", ["1000"], :arg, opts)
          Penning.command(pid, "ab")
          Penning.command(pid, "abc")
          Penning.close_stdin(pid)
          Penning.command(pid, "late")
          Penning.close(pid)
          assert_receive {^pid, :closed}
        end)

      assert log =~ "Penning.BareWorker: 3 bytes for stdin refused: eagain"
      assert log =~ "4 bytes for stdin refused: epipe"
      refute log =~ "unexpected"
    end
  end
end
