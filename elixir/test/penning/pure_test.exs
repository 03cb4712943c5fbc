defmodule Penning.PureTest do
  use ExUnit.Case, async: true

  alias Penning.{Error, Input, Options, Protocol}

  doctest Penning.ChildSpec
  doctest Penning.CommandError
  doctest Penning.Depth
  doctest Penning.Error
  doctest Penning.Executable
  doctest Penning.Input
  doctest Penning.Lines
  doctest Penning.OptionValues
  doctest Penning.Options
  doctest Penning.PortOption
  doctest Penning.Protocol
  doctest Penning.Readiness
  doctest Penning.Run
  doctest Penning.Stream
  doctest Penning.SupervisorOptions
  doctest Penning.Table

  describe "Options" do
    @bad [
      {[cd: ""], ~s(invalid option :cd with value "")},
      {[cd: 5], "invalid option :cd with value 5"},
      {[cd: "a\0b"], "invalid option :cd with value"},
      {[cd: nil], "invalid option :cd with value nil"},
      {[arg0: :sh], "invalid option :arg0 with value :sh"},
      {[env: 5], "invalid option :env with value 5"},
      {[env: ["A"]], ~s(invalid option :env with value "A")},
      {[env: [{"A", "1"} | {"B", "2"}]], "invalid option :env with value"},
      {[env: [{"", "1"}]], ~s(invalid option :env with value {"", "1"}: the name is empty)},
      {[env: %{"A=B" => "1"}], ~s(the name contains "=")},
      {[env: %{"A\0" => "1"}], "the name contains a NUL byte"},
      {[env: %{"A" => "1\0"}], "the value contains a NUL byte"},
      {[env: %{"A" => 1}], ~s(invalid option :env with value {"A", 1})},
      {[env: %{1 => "A"}], ~s(invalid option :env with value {1, "A"})},
      {[delay_to_sigkill: -1], "invalid option :delay_to_sigkill with value -1"},
      {[delay_to_sigkill: 0.5], "invalid option :delay_to_sigkill with value 0.5"},
      {[delay_to_sigkill: :infinity], "invalid option :delay_to_sigkill with value :infinity"},
      {[stdio_window: 0], "invalid option :stdio_window with value 0"},
      {[stdio_window: "1"], ~s(invalid option :stdio_window with value "1")},
      {[port: "penningd"], ~s(invalid option :port with value "penningd")},
      {[stderr_to_stdout: true], "option :stderr_to_stdout (value true) is not supported"},
      {[clear_env: 1], "invalid option :clear_env with value 1: expected true or false"},
      {[umask: "022"], ~s(invalid option :umask with value "022": expected an integer)},
      {[nice: 0.5], "invalid option :nice with value 0.5: expected an integer"},
      {[uid: -1], "invalid option :uid with value -1: expected a number or a name"},
      {[uid: nil], "invalid option :uid with value nil"},
      {[uid: ""], ~s(invalid option :uid with value "")},
      {[gid: 1.5], "invalid option :gid with value 1.5"},
      {[groups: "adm"], ~s(invalid option :groups with value "adm": expected a list)},
      {[groups: [true]], "invalid option :groups with value [true]: expected a number or a name"},
      {[groups: [1 | 2]], "invalid option :groups with value [1 | 2]: expected a list"},
      {[rlimits: 5], "invalid option :rlimits with value 5: expected a keyword list or a map"},
      {[rlimits: [nofile: -1]],
       "[nofile: -1]: nofile: expected an integer, :infinity or {soft, h"},
      {[rlimits: %{"core" => {0, "x"}}], "core: expected an integer, :infinity or {soft, hard}"},
      {[capabilities: :all], "expected {:keep, names} or {:drop, names}"},
      {[capabilities: [keep: [], drop: []]], "expected {:keep, names} or {:drop, names}"},
      {[capabilities: {:keep, :kill}], "with value {:keep, :kill}: expected a list"},
      {[stdin: :stdout], "with value :stdout: expected :owner, :null, :closed or {:file, path}"},
      {[stdout: {:file, ""}], "expected a binary that is not empty"},
      {[stdout: [file: "x", apend: true]], "unknown key :apend"},
      {[stderr: []], "with value []: expected :owner, :null, :closed, :stdout or {:file, path}"},
      {[pty: :yes], "with value :yes: expected a keyword list or a map"},
      {[pty: [modes: [echo: "off"]]], "modes: echo: expected an integer, true or false"},
      {[orphans: :drop], "with value :drop: expected one of :kill, :keep"},
      {[require_containment: :jail], "expected one of :process_group, :subreaper, :cgroup, "},
      {[success_exit_codes: [256]], "with value [256]: expected an integer from 0 to 255"},
      {[cgroup_base: ""], ~s(invalid option :cgroup_base with value "")},
      {[cgroup_controllers: "cpu"], "expected a list"},
      {[cgroup_sets: [{"a", "b"}]], "expected {controller, key, value}"},
      {[limits: [memory: "1G"]], "memory: expected an integer of 0 or more"},
      {[limits: [cpu: :half]], "cpu: expected a number"},
      {[limits: [io: [[device: 8]]]], "io: device: expected a binary that is not empty"},
      {[into: ""], ~s(unknown option :into with value "")},
      {[:cd], "invalid options [:cd]"},
      {%{cd: "/"}, "invalid options %{cd: \"/\"}"}
    ]

    test "name the option and the value of what is wrong" do
      for {opts, text} <- @bad do
        error = assert_raise ArgumentError, fn -> Options.new!("cat", [], opts) end
        assert error.message =~ text
      end
    end

    test "name a bad program and a bad argument" do
      for {program, args, text} <- [
            {"", [], ~s(invalid program "")},
            {:cat, [], "invalid program :cat"},
            {"c\0at", [], "invalid program"},
            {"cat", "a", ~s(invalid arguments "a")},
            {"cat", ["a" | "b"], "invalid arguments"},
            {"cat", [~c"a"], "of \"cat\": expected a binary"}
          ] do
        error = assert_raise ArgumentError, fn -> Options.new!(program, args, []) end
        assert error.message =~ text
      end
    end

    test "take an environment in every form" do
      for env <- [%{"A" => "1"}, %{A: "1"}, [A: "1"], [{"A", "1"}], Stream.map(["A"], &{&1, "1"})] do
        assert Options.new!("cat", [], env: env).wire == %{env: [{"A", "1"}]}
      end
    end

    test "go to the port program as they are given" do
      opts = [
        uid: :nobody,
        gid: 65_534,
        groups: ["tty", 4],
        rlimits: [nofile: 64, core: {0, :infinity}],
        capabilities: {:keep, [:kill]},
        stdin: :null,
        stdout: [file: "out", append: true, mode: 0o600],
        stderr: :stdout,
        pty: %{rows: 1, modes: [echo: false, vintr: 3]},
        orphans: :keep,
        success_exit_codes: [3],
        cgroup_sets: [{"cpu", "cpu.weight", "50"}],
        limits: [memory: 1, cpu: 0.5, pids: 2, io: [%{device: "/dev/sda", read_bytes: 1}]]
      ]

      assert Options.new!("cat", [], opts).wire == Map.new(opts)
      assert Options.new!("cat", [], pty: true).wire == %{pty: true}
    end

    test "leave out what is not said" do
      options = Options.new!("cat", ["-"], delay_to_sigkill: 0, stdio_window: 1)
      assert options.wire == %{delay_to_sigkill: 0, stdio_window: 1}
      assert %{stdin_window: 1, port: Penning.Port, args: ["-"]} = options
      assert Options.new!("cat", [], []).stdin_window == 65_536
    end
  end

  describe "Input" do
    test "goes in pieces of at most 64 KiB, within the window, in order" do
      bytes = :crypto.strong_rand_bytes(1_000_000)
      {got, largest} = drain(Input.new(100_000) |> Input.push(bytes), 100_000)
      assert got == bytes
      assert largest == 65_536
    end

    test "waits for room, however small" do
      {got, largest} = drain(Input.new(3) |> Input.push("hello") |> Input.push([" ", "world"]), 3)
      assert got == "hello world"
      assert largest == 3
    end

    test "is dropped when the end was asked for" do
      input = Input.new(2) |> Input.push("hello")
      {["he"], input} = Input.take(input)
      assert {[], _} = input |> Input.discard() |> Input.written(2) |> Input.take()
    end

    test "has a limit, past which it is refused unless it is alone" do
      input = Input.new(2, 10) |> Input.push("12345678901")
      {_, input} = input |> Input.push("x") |> Input.take()
      assert {[{:stdin_busy, 11}, {:stdin_refused, 1, :eagain}], input} = Input.notices(input)
      input = input |> Input.written(2) |> Input.push("x")
      assert {[], input} = Input.notices(input)
      {["34"], input} = Input.take(input)
      assert Input.queued(input) == 10
      input = Input.push(input, "y")
      assert {[{:stdin_refused, 1, :eagain}], _} = Input.notices(input)
    end

    test "has a limit of pieces as well, since each costs memory" do
      input = Enum.reduce(1..65_537, Input.new(1), fn _, input -> Input.push(input, "x") end)
      assert {[{:stdin_busy, 2}, {:stdin_refused, 1, :eagain}], _} = Input.notices(input)
      assert Input.queued(input) == 65_536
    end

    test "is busy once, until half a window is left" do
      input = Input.new(4) |> Input.push("123") |> Input.push("45") |> Input.push("6")
      assert {[{:stdin_busy, 5}], input} = Input.notices(input)
      {["123", "4"], input} = Input.take(input)
      assert {[], input} = input |> Input.written(3) |> Input.notices()
      assert {[:stdin_ready], input} = input |> Input.written(1) |> Input.notices()
      assert {[{:stdin_busy, 7}], _} = input |> Input.push("12345") |> Input.notices()
    end

    test "goes in so many pieces as the port program takes" do
      input = Enum.reduce(1..70_000, Input.new(1_000_000), fn _, i -> Input.push(i, "x") end)
      {now, input} = Input.take(input)
      # what could not even wait has been refused
      assert length(now) == 65_536
      {[], input} = Input.take(input)
      input = Input.push(Input.written(input, 1), "y")
      assert {["y"], _} = Input.take(input)
    end

    test "is lost when it is not read any more" do
      {["12"], input} = Input.new(2) |> Input.push("1234") |> Input.take()
      input = input |> Input.refused(2, :epipe) |> Input.fail(:epipe) |> Input.push("5")

      assert {[{:stdin_busy, 4}, {:stdin_closed, :epipe}, {:stdin_refused, 1, :epipe}], input} =
               Input.notices(input)

      assert {[], %{under_way: 0}} = Input.take(input)
    end

    test "is lost when it is refused for good, and that is told" do
      {_, input} = Input.new(2) |> Input.push("1234") |> Input.close() |> Input.take()
      input = input |> Input.refused(2, :epipe)
      assert {[{:stdin_busy, 4}, {:stdin_closed, :epipe}], input} = Input.notices(input)
      assert {[], %{under_way: 0}} = Input.take(input)
    end

    test "that is lost is not told once the end was asked for" do
      {_, input} = Input.new(2) |> Input.push("12") |> Input.take()
      assert {[], _} = input |> Input.discard() |> Input.fail(:epipe) |> Input.notices()
    end

    test "is iodata" do
      assert_raise ArgumentError, fn -> Input.push(Input.new(1), [:no]) end
    end

    # All of it, as a child takes it that reads everything at once; and the largest piece.
    defp drain(input, window, got \\ [], largest \\ 0) do
      case Input.take(input) do
        {[], _} ->
          {IO.iodata_to_binary(got), largest}

        {pieces, input} ->
          sizes = Enum.map(pieces, &byte_size/1)
          assert Enum.sum(sizes) <= window

          drain(
            Input.written(input, Enum.sum(sizes)),
            window,
            [got, pieces],
            Enum.max([largest | sizes])
          )
      end
    end
  end

  describe "Protocol" do
    test "takes any term as a message" do
      term = {:message, 1, %{pid: self(), ref: make_ref(), list: [1 | 2], big: 2 ** 100}}
      assert Protocol.decode(:erlang.term_to_binary(term)) == {:ok, term}
      assert Protocol.decode(:erlang.term_to_binary(term, [:compressed])) == {:ok, term}
    end

    test "knows a frame by its shape" do
      for frame <- [
            {:hello, 1, %{}},
            {:reply, make_ref(), {:ok, 1}},
            {:reply, 1, {:error, :noproc}},
            {:message, 1, :closed},
            {:down, 1, {:exit_status, 3}},
            {:error, :bad_term, "detail"}
          ],
          do: assert(Protocol.decode(:erlang.term_to_binary(frame)) == {:ok, frame})

      for frame <- [
            {:hello, 1, []},
            {:reply, 1, :ok},
            {:message, -1, :closed},
            {:down, :a, :b},
            :hello,
            []
          ],
          do:
            assert(
              Protocol.decode(:erlang.term_to_binary(frame)) == {:error, {:bad_frame, frame}}
            )
    end

    test "refuses bytes that are no term" do
      whole = :erlang.term_to_binary({:message, 1, "hello"})

      for bytes <- ["", <<131>>, binary_part(whole, 0, byte_size(whole) - 1), "hello"],
          do: assert(Protocol.decode(bytes) == {:error, {:bad_term, bytes}})
    end
  end

  describe "Executable" do
    test "takes the configuration before the environment, and does not go on to the next place" do
      assert {:ok, "/bin/sh"} = Penning.Executable.find("/bin/sh", "/bin/cat")
      assert {:error, %Error{message: message}} = Penning.Executable.find("/nowhere", "/bin/cat")
      assert message =~ ~s(config :penning, executable: names "/nowhere")
      assert {:error, _} = Penning.Executable.find("/etc/passwd", nil)
    end
  end
end
