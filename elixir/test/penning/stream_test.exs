defmodule Penning.StreamTest do
  use Penning.Case, async: true

  alias Penning.CommandError

  defp script(script, opts \\ []), do: Penning.stream!("/bin/sh", ["-c", script], opts)

  # What monitors the process that enumerates: the processes behind its streams.
  defp servers do
    {:monitored_by, pids} = Process.info(self(), :monitored_by)
    Enum.filter(pids, &(is_pid(&1) and server?(&1)))
  end

  defp server?(pid) do
    with {:dictionary, dictionary} <- Process.info(pid, :dictionary),
         do: dictionary[:"$initial_call"] == {Penning.StreamServer, :init, 1}
  end

  # The first element, and how to go on.
  defp first(stream) do
    step = fn element, _ -> {:suspend, element} end
    {:suspended, element, go_on} = Enumerable.reduce(stream, {:cont, nil}, step)
    {element, go_on}
  end

  # The enumerator of a stream that is never taken to its end, its first element, and its server.
  defp enumerator(stream) do
    test = self()

    pid =
      spawn(fn ->
        Enum.each(stream, fn element ->
          send(test, {:element, element, servers()})
          receive do: (:go_on -> :ok)
        end)
      end)

    assert_receive {:element, element, [server]}
    {pid, element, server}
  end

  describe "output" do
    test "is all of stdout, in order" do
      {expected, 0} = System.cmd("seq", ["1", "200000"])
      assert Penning.stream!("seq", ["1", "200000"]) |> Enum.join() == expected
    end

    test "comes through the smallest window" do
      assert script("echo abc; echo def >&2", stdio_window: 1) |> Enum.join() == "abc\n"
    end

    test "comes by lines" do
      stream = script("printf 'one\\n\\ntwo'", stdout_delivery: :lines)
      assert Enum.to_list(stream) == [eol: "one", eol: "", noeol: "two"]
    end

    test "comes tagged" do
      opts = [tagged: true, stderr_delivery: :lines]
      elements = script("echo out; echo err >&2", opts) |> Enum.sort()
      assert elements == [stderr: {:eol, "err"}, stdout: "out\n"]
    end

    test "of stderr comes with stdout where it goes there" do
      assert script("echo out; echo err >&2", stderr: :stdout) |> Enum.join() == "out\nerr\n"
    end

    test "of stderr that nobody takes does not stop the program" do
      assert script("head -c 1000000 /dev/zero >&2; echo done") |> Enum.join() == "done\n"
    end

    test "goes into a collectable" do
      path = temporary_file()
      script("echo hello") |> Enum.into(File.stream!(path))
      assert File.read!(path) == "hello\n"
      assert script("echo hello") |> Enum.into("") == "hello\n"
    end

    test "waits for its consumer: no byte passes the window" do
      {element, go_on} = first(Penning.stream!("yes", [], stdout_window: 4096))
      [server] = servers()
      taken = byte_size(element)

      # what was handed over is given back, so a window comes again, and stays
      assert eventually(fn -> waiting(server) == 4096 end)
      # a request is answered after what was sent before it
      {:ok, _} = Penning.Port.info()
      assert waiting(server) == 4096
      assert taken <= 4096
      go_on.({:halt, nil})
      assert servers() == []
    end

    defp waiting(server) do
      queue = :sys.get_state(server).queue
      Enum.sum(for {:output, :data, bytes} <- :queue.to_list(queue), do: byte_size(bytes))
    end

    test "starts anew each time, and not before" do
      path = temporary_file()
      stream = script("echo x >> #{path}; cat #{path}")
      refute File.exists?(path)
      assert Enum.join(stream) == "x\n"
      assert Enum.join(stream) == "x\nx\n"
    end
  end

  describe "the end" do
    test "raises for a status that is an error, with the last words, after all output" do
      test = self()
      stream = script("echo out; head -c 10000 /dev/zero >&2; echo bad >&2; exit 3")

      error = assert_raise CommandError, fn -> Enum.each(stream, &send(test, {:element, &1})) end

      assert_received {:element, "out\n"}
      assert %{program: "/bin/sh", reason: {:exit_status, 3}, stderr: stderr} = error
      assert byte_size(stderr) == 4096
      assert String.ends_with?(stderr, "\0bad\n")
    end

    test "raises for a signal" do
      stream = script("kill -9 $$")
      assert_raise CommandError, ~r/was ended by signal 9/, fn -> Stream.run(stream) end
    end

    test "is no error for a status that counts as success" do
      assert script("exit 3", success_exit_codes: [3]) |> Stream.run() == :ok
    end

    test "is the last element where that is asked for" do
      for {script, how} <- [{"exit 3", {:status, 3}}, {"kill -9 $$", {:signal, 9, false}}] do
        assert ["out\n", {:exited, os_pid, ^how, %{max_rss: _}}] =
                 script("echo out; " <> script, exit: :element) |> Enum.to_list()

        refute running?(os_pid)
      end
    end

    test "of the port program raises" do
      port = :"#{__MODULE__}.lost"
      start_supervised!({Penning.Port, name: port})
      {:ok, %{os_pid: os_pid}} = Penning.Port.info(port)
      {_, go_on} = first(script("echo up; exec sleep 1000", port: port, exit: :element))
      kill(os_pid)
      assert_raise CommandError, ~r/was lost/, fn -> go_on.({:cont, nil}) end
    end

    test "comes at once by halting, and no process is left" do
      assert ["y\n" <> _] = Penning.stream!("yes") |> Enum.take(1)
      assert servers() == []
      [os_pid] = script("echo $$; exec sleep 1000") |> Enum.take(1)
      refute File.exists?("/proc/#{String.trim(os_pid)}")
    end

    test "comes with an error of the consumer" do
      assert_raise RuntimeError, "enough", fn ->
        script("echo $$; exec sleep 1000")
        |> Enum.each(fn os_pid ->
          send(self(), {:os_pid, os_pid})
          raise "enough"
        end)
      end

      assert_received {:os_pid, os_pid}
      refute File.exists?("/proc/#{String.trim(os_pid)}")
      assert servers() == []
    end

    test "comes with that of the consumer, whatever it dies of" do
      for reason <- [:kill, :shutdown, :boom] do
        {pid, os_pid, server} = enumerator(script("echo $$; exec sleep 1000"))
        monitor = Process.monitor(server)
        Process.exit(pid, reason)
        assert_receive {:DOWN, ^monitor, :process, ^server, :shutdown}
        refute File.exists?("/proc/#{String.trim(os_pid)}")
      end
    end

    test "of the process behind it comes to the consumer, and to the program" do
      {os_pid, go_on} = first(script("echo $$; exec sleep 1000"))
      [server] = servers()
      monitor = Process.monitor(server)
      Process.exit(server, :kill)
      assert_receive {:DOWN, ^monitor, :process, ^server, :killed}
      assert {:noproc, _} = catch_exit(go_on.({:cont, nil}))
      assert eventually(fn -> not File.exists?("/proc/#{String.trim(os_pid)}") end)
    end
  end

  describe "input" do
    test "is iodata" do
      assert Penning.stream!("cat", [], input: ["he", [?l | "lo"]]) |> Enum.join() == "hello"
      assert Penning.stream!("cat", []) |> Enum.join() == ""
    end

    test "of 8 MiB goes through, in one piece and in many, while output comes" do
      bytes = :crypto.strong_rand_bytes(8 * 1024 * 1024)
      pieces = for <<piece::binary-size(1024) <- bytes>>, do: piece

      for input <- [bytes, Stream.map(pieces, & &1), Stream.map([bytes], & &1)],
          do: assert(Penning.stream!("cat", [], input: input) |> Enum.join() == bytes)
    end

    test "in pieces beyond every limit is not refused" do
      piece = :binary.copy("x", 20 * 1024 * 1024)
      stream = Penning.stream!("wc", ["-c"], input: Stream.map(1..3, fn _ -> piece end))
      assert stream |> Enum.join() |> String.trim() == "#{3 * byte_size(piece)}"
    end

    test "is enumerated as the program reads it" do
      test = self()

      input =
        Stream.map(1..1000, fn n ->
          send(test, {:taken, n})
          :binary.copy("x", 65_536)
        end)

      {_, go_on} = first(script("echo up; exec sleep 1000", input: input))
      # 64 KiB in the pipe, a window under way, one piece that waits for room, at most
      assert_receive {:taken, 2}
      refute_receive {:taken, 5}, 100
      go_on.({:halt, nil})
    end

    test "is another stream" do
      numbers = Penning.stream!("seq", ["1", "1000000"])
      assert Penning.stream!("head", ["-n", "2"], input: numbers) |> Enum.join() == "1\n2\n"

      assert ["1000000\n"] =
               Penning.stream!("tail", ["-n", "1"], input: numbers) |> Enum.to_list()
    end

    test "that is not read to its end is halted, and no error" do
      test = self()

      input =
        Stream.resource(
          fn -> :ok end,
          fn :ok -> {[:binary.copy("x", 65_536)], :ok} end,
          fn :ok -> send(test, {:halted, self()}) end
        )

      assert script("head -c 3", input: input) |> Enum.join() == "xxx"
      assert_received {:halted, feeder}
      refute Process.alive?(feeder)
    end

    test "that never comes does not hold up the end" do
      test = self()

      input =
        Stream.map([1], fn _ ->
          send(test, {:feeder, self()})
          receive do: (:never -> "")
        end)

      assert script("read -t 0 x; echo done", input: input) |> Enum.take(1) == ["done\n"]
      assert_receive {:feeder, feeder}
      refute Process.alive?(feeder)
    end

    test "that fails raises where the output is taken, and stops the program" do
      input = Stream.map(1..2, fn n -> if n == 1, do: "#{n}", else: raise("no more") end)
      stream = script("echo $$; exec cat", input: input)
      test = self()
      assert_raise RuntimeError, "no more", fn -> Enum.each(stream, &send(test, {:out, &1})) end
      assert servers() == []

      assert_raise ArgumentError, ~r/piece of the input :no: expected iodata/, fn ->
        Penning.stream!("cat", [], input: Stream.map([:no], & &1)) |> Stream.run()
      end

      assert catch_throw(
               Penning.stream!("cat", [], input: Stream.map([1], &throw/1))
               |> Stream.run()
             ) == 1
    end
  end

  describe "what is wrong" do
    test "with an option is told at once" do
      for {opts, text} <- [
            {[input: :none], "option :input with value :none: expected iodata or an enumerable"},
            {[tagged: 1], "invalid option :tagged with value 1: expected true or false"},
            {[exit: :no], "invalid option :exit with value :no: expected :raise or :element"},
            {[colour: 1], "unknown option :colour with value 1"},
            {%{}, "invalid options %{}"}
          ] do
        error = assert_raise ArgumentError, fn -> Penning.stream!("cat", [], opts) end
        assert error.message =~ text
      end
    end

    test "with the start is raised when it is enumerated" do
      stream = Penning.stream!("no-such-program-anywhere")
      assert_raise CommandError, ~r/cannot be started: no such file/, fn -> Stream.run(stream) end
      stream = Penning.stream!("cat", [], cd: "/nowhere")
      assert_raise ArgumentError, ~r/:cd with value "\/nowhere"/, fn -> Stream.run(stream) end
      stream = Penning.stream!("cat", [], port: :nobody)
      assert_raise Penning.Error, fn -> Stream.run(stream) end
    end
  end
end
