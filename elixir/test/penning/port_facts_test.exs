defmodule Penning.PortFactsTest do
  # What is known to go wrong between a BEAM and a port program, and must not here.
  use Penning.Case, async: true

  alias Penning.Protocol

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  defp start_port do
    name = :"facts_#{System.unique_integer([:positive])}"
    pid = start_supervised!({Penning.Port, name: name})
    {:ok, %{os_pid: os_pid}} = Penning.Port.info(name)
    {name, pid, os_pid}
  end

  describe "a program" do
    test "has no descriptor but its own, and no signal ignored or blocked" do
      # 3 is that of ls for the directory
      assert {:ok, %{out: "0\n1\n2\n3\n"}} = Penning.run("ls", ["/proc/self/fd"])
      assert {:ok, %{out: masks}} = Penning.run("grep", ["^Sig[BI]", "/proc/self/status"])
      assert ["SigBlk:", none, "SigIgn:", none] = String.split(masks)
      assert String.to_integer(none, 16) == 0
    end

    test "ends when it ends, though another one holds its stdout" do
      {:ok, ps} = sh("sleep 1000 & echo $!; exit 3")
      assert {left, "", {:exit_status, 3}} = collect(ps)
      refute running?(String.trim(left))
    end

    test "lives on when it has closed its stdout, and is heard to its end" do
      {:ok, ps} = sh("exec >&-; echo up >&2; read x; exit 3")
      assert_receive {^ps, {:error, "up\n"}}
      Penning.command(ps, "go\n")
      assert collect(ps) == {"", "", {:exit_status, 3}}
    end

    test "that has ended takes nothing, and harms nobody who writes" do
      task =
        Task.async(fn ->
          {:ok, ps} = Penning.open("true", [])
          monitor = Process.monitor(ps)
          assert_receive {:DOWN, ^monitor, :process, ^ps, _}
          {Penning.command(ps, "late"), Penning.close_stdin(ps), Penning.close(ps)}
        end)

      assert Task.await(task) == {:ok, :ok, :ok}
    end

    test "that floods waits for a process that takes nothing" do
      {:ok, ps} = sh("read go; yes", stdout_window: 4096)
      Penning.command(ps, "go\n")
      assert_receive {^ps, {:data, _}}
      :sys.suspend(ps)
      assert eventually(fn -> waiting(ps) == 4096 end)
      # a request is answered after what was sent before it
      {:ok, _} = Penning.Port.info()
      assert waiting(ps) == 4096
      :sys.resume(ps)
      Penning.close(ps)
      assert_receive {:EXIT, ^ps, :shutdown}
    end

    defp waiting(ps) do
      {:messages, messages} = Process.info(ps, :messages)

      Enum.sum(
        for {:"$penning", {:message, _, {:data, out}}} <- messages, do: Protocol.weight(out)
      )
    end
  end

  describe "a port program" do
    test "that gets a length beyond all bounds ends, and does not hang" do
      {port, pid, os_pid} = start_port()
      {:ok, ps} = Penning.open("cat", [], port: port)
      erlang_port = :sys.get_state(port).connection.port
      Port.command(erlang_port, :binary.copy("x", 64 * 1024 * 1024 + 1))
      # it may still tell that it kills its children
      assert_receive {:EXIT, ^ps, reason} when reason in [:killed, :noconnection]
      assert eventually(fn -> :sys.get_state(port).connection == nil end)
      assert eventually(fn -> not running?(os_pid) end)
      assert {:ok, %{os_pid: next}} = Penning.Port.info(port)
      assert next != os_pid
      assert Process.whereis(port) == pid
    end

    test "that dies while it is written to takes nothing down but what it carried" do
      {port, pid, os_pid} = start_port()
      {:ok, ps} = Penning.open("sleep", ["1000"], port: port, stdin_window: 16 * 1024 * 1024)
      kill(os_pid, "STOP")
      Penning.command(ps, :binary.copy("x", 16 * 1024 * 1024))
      assert eventually(fn -> Process.info(ps, :status) == {:status, :suspended} end)
      kill(os_pid)
      assert_receive {:EXIT, ^ps, :noconnection}
      assert {:ok, %{out: "x\n"}} = Penning.run("echo", ["x"], port: port)
      assert Process.whereis(port) == pid
    end

    test "that does not read holds up who writes for a process, not who commands it" do
      {port, _pid, os_pid} = start_port()
      {:ok, ps} = Penning.open("cat", [], port: port, stdin_window: 8 * 1024 * 1024)
      kill(os_pid, "STOP")
      bytes = :crypto.strong_rand_bytes(8 * 1024 * 1024)
      assert Penning.command(ps, bytes) == :ok
      assert eventually(fn -> Process.info(ps, :status) == {:status, :suspended} end)
      assert Penning.close_stdin(ps) == :ok
      kill(os_pid, "CONT")
      assert collect(ps) == {bytes, "", :normal}
    end
  end

  test "nothing outlives a BEAM, whatever ends it" do
    for signal <- ["KILL", "TERM", "ABRT"] do
      {beam, os_pid} = beam()
      {:os_pid, beam_pid} = Port.info(beam, :os_pid)
      assert running?(os_pid)
      kill(beam_pid, signal)
      assert eventually(10_000, fn -> not running?(os_pid) end)
      assert_receive {^beam, {:exit_status, _}}
    end
  end

  # A BEAM of its own with one process, which neither reads nor heeds SIGTERM.
  defp beam do
    paths = for app <- [:elixir, :logger, :penning], do: :code.lib_dir(app, :ebin)

    start = """
    {ok, _} = application:ensure_all_started(penning),
    spawn(fun() ->
      {ok, Ps} = penning:open("sh", ["-c", "trap '' TERM; while :; do sleep 1; done"]),
      io:format("~p~n", [penning:os_pid(Ps)]),
      receive never -> ok end
    end).
    """

    args = ["-noinput", "-eval", start, "-pa" | Enum.map(paths, &to_string/1)]
    env = [PENNINGD: Penning.executable_path(), ERL_CRASH_DUMP_BYTES: "0"]
    env = for {name, value} <- env, do: {to_charlist(name), to_charlist(value)}
    erl = Path.join(:code.root_dir(), "bin/erl")
    opts = [:binary, :exit_status, {:line, 1000}, args: args, env: env]
    beam = Port.open({:spawn_executable, erl}, opts)
    assert_receive {^beam, {:data, {:eol, os_pid}}}, 30_000
    {beam, os_pid}
  end
end
