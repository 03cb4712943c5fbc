defmodule Penning.DaemonTest do
  # What Logger gets is that of all.
  use Penning.Case, async: false

  import ExUnit.CaptureLog

  alias Penning.Daemon

  doctest Daemon

  defp daemon(script, opts \\ []), do: Daemon.start_link("/bin/sh", ["-c", script], opts)

  # What is logged until the program has ended.
  defp logged(script, opts \\ []) do
    Process.flag(:trap_exit, true)

    capture_log([format: "[$level] $message|$metadata\n", metadata: [:child]], fn ->
      {:ok, pid} = daemon(script, opts)
      assert_receive {:EXIT, ^pid, :normal}
    end)
  end

  describe "output" do
    test "is logged by lines, each stream at its level" do
      log = logged("printf 'one\\r\\ntwo'; echo bad >&2")
      assert log =~ "[info] one|child=/bin/sh"
      assert log =~ "[info] two|"
      assert log =~ "[warning] bad|"
    end

    test "is logged as it is asked for" do
      opts = [log_output: :error, log_stderr: false, log_prefix: "x: "]
      opts = [{:log_transform, &String.upcase/1}, {:name, :"#{__MODULE__}.logged"} | opts]
      log = logged("echo one; echo bad >&2", opts)
      assert log =~ "[error] x: ONE|child=Penning.DaemonTest.logged"
      refute log =~ "bad"
    end

    test "that is long comes in pieces, and none of it is lost" do
      log = logged("head -c 20000 /dev/zero | tr '\\0' y; echo")
      assert [8000, 8000, 4000] = for([y] <- Regex.scan(~r/y{2,}/, log), do: byte_size(y))
      log = logged("echo abcdef", stdout_delivery: [max_length: 4])
      assert log =~ "[info] abcd|"
      assert log =~ "[info] ef|"
    end

    test "that is no UTF-8 is made so" do
      assert logged("printf 'a\\377\\376b\\n'") =~ "[info] a�b|"
    end

    test "is counted as it comes" do
      {:ok, pid} = daemon("echo one; echo; printf rest; echo bad >&2; exec cat")
      lines = fn -> Daemon.statistics(pid) |> Map.values() |> Enum.sum() end
      # the rest of the line comes only with its end
      assert eventually(fn -> lines.() == 5 + 2 + 4 + 1 end)
      assert %{stdout_bytes: 5, stdout_lines: 2} = Daemon.statistics(pid)
      assert %{stderr_bytes: 4, stderr_lines: 1} = Daemon.statistics(pid)
      Penning.command(pid, "\n")
      assert eventually(fn -> match?(%{stdout_bytes: 10}, Daemon.statistics(pid)) end)
      GenServer.stop(pid)
    end
  end

  describe "the end" do
    test "is that of its program" do
      Process.flag(:trap_exit, true)

      for {script, reason} <- [{"exit 3", {:exit_status, 3}}, {"kill -9 $$", {:signal, 9}}] do
        {:ok, pid} = daemon("read go; " <> script)
        Penning.command(pid, "go\n")
        assert_receive {:EXIT, ^pid, ^reason}
      end

      assert Daemon.start_link("no-such-program-anywhere") == {:error, :enoent}
    end

    test "comes with a transform that fails" do
      Process.flag(:trap_exit, true)
      {:ok, pid} = daemon("read go; echo x; exec cat", log_transform: fn _ -> raise "no" end)
      os_pid = Daemon.os_pid(pid)
      Penning.command(pid, "go\n")
      assert_receive {:EXIT, ^pid, {%RuntimeError{message: "no"}, _}}
      refute running?(os_pid)
    end
  end

  test "it is restarted and stopped by its supervisor" do
    name = :"#{__MODULE__}.supervised"
    spec = {Daemon, {"sleep", ["1000"], name: name}}

    supervisor =
      start_supervised!(%{
        id: 1,
        start: {Supervisor, :start_link, [[spec], [strategy: :one_for_one]]}
      })

    first = Daemon.os_pid(name)
    monitor = Process.monitor(name)
    kill(first)
    assert_receive {:DOWN, ^monitor, :process, _, {:signal, 9}}
    assert eventually(fn -> Process.whereis(name) != nil end)
    second = Daemon.os_pid(name)
    assert second != first and running?(second)
    assert [{^name, _, :worker, [Daemon]}] = Supervisor.which_children(supervisor)
    Supervisor.stop(supervisor)
    refute File.exists?("/proc/#{second}")
  end

  test "what is wrong with an option is told" do
    for {opts, text} <- [
          {[log_stderr: :warn],
           "option :log_stderr with value :warn: expected a level of Logger"},
          {[log_prefix: 1], "invalid option :log_prefix with value 1: expected a binary"},
          {[log_transform: 1], "invalid option :log_transform with value 1: expected a function"},
          {[colour: 1], "unknown option :colour with value 1"},
          {%{}, "invalid options %{}"}
        ] do
      error = assert_raise ArgumentError, fn -> Daemon.start_link("cat", [], opts) end
      assert error.message =~ text
    end
  end
end
