defmodule Penning.SupervisorTest do
  use Penning.Case, async: true

  import ExUnit.CaptureLog

  alias Penning.Supervisor, as: Servers

  @sleep {"sleep", ["1000"], []}
  @many [max_restarts: 1000]

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  defp shell(id, script, opts \\ [], more \\ %{}),
    do: Map.merge(%{id: id, start: {"/bin/sh", ["-c", script], opts}}, more)

  defp sleeper(id, more \\ %{}), do: Map.merge(%{id: id, start: @sleep}, more)

  # All output goes to the test.
  defp told(opts \\ []) do
    test = self()
    Keyword.put(opts, :output, fn id, stream, bytes -> send(test, {id, stream, bytes}) end)
  end

  defp start!(children, opts \\ @many) do
    {:ok, supervisor} = Servers.start_link(children, opts)
    supervisor
  end

  defp os_pids(supervisor, ids), do: Enum.map(ids, &Servers.os_pid(supervisor, &1))

  defp gone?(os_pids), do: Enum.all?(List.wrap(os_pids), &(not File.exists?("/proc/#{&1}")))

  # A port program of the test's own, to be killed.
  defp own_port do
    name = :"port #{System.unique_integer([:positive])}"
    start_supervised!({Penning.Port, name: name})
    name
  end

  defp penningd(port) do
    {:ok, %{os_pid: os_pid}} = Penning.Port.info(port)
    os_pid
  end

  defp bytes_waiting(supervisor) do
    {:messages, messages} = Process.info(supervisor, :messages)
    Enum.sum(for {:"$penning", {:message, _, {:data, bytes}}} <- messages, do: byte_size(bytes))
  end

  # A line for a child that waits for one before it writes: what it wrote earlier would reach the
  # output function while `start_link` still waits, and with it if the function does.
  defp go(supervisor, id) do
    {^id, handle, _, _} = supervisor |> Servers.which_children() |> List.keyfind(id, 0)
    %{port: port} = :sys.get_state(supervisor)
    Penning.Connection.write(port, {:send, handle, {:command, "\n"}})
  end

  describe "start_link" do
    test "returns once all are up" do
      supervisor = start!([sleeper(:a), sleeper("b")])

      assert [{"b", b, :worker, [:penning]}, {:a, a, :worker, _}] =
               Servers.which_children(supervisor)

      assert is_integer(a) and is_integer(b)
      assert Enum.all?(os_pids(supervisor, [:a, "b"]), &running?/1)
      assert Servers.os_pid(supervisor, :nobody) == nil

      assert Servers.count_children(supervisor) ==
               %{specs: 2, active: 2, supervisors: 0, workers: 2}

      assert length(Supervisor.which_children(supervisor)) == 2
      assert %{active: 2} = Supervisor.count_children(supervisor)
      :ok = Servers.stop(supervisor)
    end

    test "of no children" do
      supervisor = start!([])
      assert Servers.which_children(supervisor) == []
      :ok = Servers.stop(supervisor)
    end

    test "answers a failed start once all is gone, and spares the caller" do
      Process.flag(:trap_exit, false)
      missing = %{id: :b, start: {"no-such-program-anywhere", [], []}}
      first = shell(:a, "echo pid $$; exec sleep 1000", ready: {:stdout, "pid"})

      assert {:error, {:shutdown, {:failed_to_start_child, :b, {:enoent, _}}}} =
               Servers.start_link([first, missing], told())

      assert_receive {:a, :stdout, "pid " <> os_pid}
      assert gone?(String.trim(os_pid))
    end

    test "hands over output while a child is not ready yet" do
      failing = shell(:a, "echo why >&2; exit 3", ready: {:stdout, "never"})

      assert {:error, {:shutdown, {:failed_to_start_child, :a, {:exit_status, 3}}}} =
               Servers.start_link([failing], told())

      assert_receive {:a, :stderr, "why\n"}
    end

    test "waits until a child is ready" do
      script = "head -c 100000 /dev/zero; echo; echo up; exec sleep 1000"
      supervisor = start!([shell(:a, script, ready: {:stdout, "up"}), sleeper(:b)], told(@many))
      assert bytes(:a) =~ "up\n"
      :ok = Servers.stop(supervisor)
    end

    defp bytes(id, got \\ "") do
      receive do
        {^id, :stdout, bytes} -> bytes(id, got <> bytes)
      after
        0 -> got
      end
    end

    test "registers a name, by which it can be reached" do
      name = :"#{__MODULE__}.named"
      supervisor = start!([sleeper(:a)], name: name)
      assert Process.whereis(name) == supervisor
      assert is_integer(Servers.os_pid(name, :a))
      assert {:error, {:already_started, ^supervisor}} = Servers.start_link([], name: name)
      :ok = Servers.stop(name)
    end

    test "without a port program is an error" do
      assert {:error, %Penning.Error{reason: :not_running}} =
               Servers.start_link([sleeper(:a)], port: :nobody)
    end

    test "whose caller is killed leaves nothing behind" do
      never = shell(:b, "echo $$; exec sleep 1000", ready: {:stdout, "never"})
      opts = told()
      caller = spawn(fn -> Servers.start_link([shell(:a, "echo $$; exec cat"), never], opts) end)
      assert_receive {:a, :stdout, a}
      assert_receive {:b, :stdout, b}
      Process.exit(caller, :kill)
      assert eventually(fn -> gone?(Enum.map([a, b], &String.trim/1)) end)
    end
  end

  describe "bad input names option and value, and nothing is started:" do
    test "children" do
      for {spec, text} <- [
            {:x, "invalid child specification :x"},
            {%{id: :a}, "invalid child specification %{id: :a}"},
            {%{start: @sleep}, "invalid child specification"},
            {sleeper(:a, %{start: "sleep"}),
             "invalid option :start with value \"sleep\" of child :a"},
            {sleeper(:a, %{start: {"", [], []}}), "invalid program \"\""},
            {sleeper(:a, %{start: {"x", [7], []}}), "invalid argument 7 of \"x\""},
            {shell(:a, "", stdio_window: 0), "invalid option :stdio_window with value 0"},
            {shell(:a, "", ready: 7), "invalid option :ready with value 7"},
            {shell(:a, "", port: :p), "invalid option :port with value :p of child :a"},
            {shell(:a, "", start_timeout: 5), "invalid option :start_timeout with value 5"},
            {shell(:a, "", colour: 1), "unknown option :colour with value 1"},
            {shell(:a, "", cd: "/nowhere"), "invalid option :cd with value \"/nowhere\""},
            {sleeper(:a, %{colour: 1}), "unknown option :colour with value 1 of child :a"},
            {sleeper(:a, %{restart: :ever}),
             "invalid option :restart with value :ever of child :a"},
            {sleeper(:a, %{shutdown: -1}), "invalid option :shutdown with value -1"},
            {sleeper(:a, %{type: :supervisor}), "invalid option :type with value :supervisor"},
            {sleeper(:a, %{modules: 1}), "invalid option :modules with value 1"},
            {sleeper(:a, %{significant: 1}), "invalid option :significant with value 1"},
            {sleeper(:a, %{significant: true}), "invalid option :significant with value true"},
            {sleeper(:a, %{start_timeout: -1}), "invalid option :start_timeout with value -1"},
            {sleeper(:a, %{start_after: :b}), "invalid option :start_after with value :b"},
            {sleeper(:a, %{start_after: [:b]}), "invalid option :start_after with value [:b]"},
            {sleeper(:a, %{start_after: [:a]}), "invalid option :start_after with value [:a]"},
            {sleeper(:a, %{backoff: 7}), "invalid option :backoff with value 7"},
            {sleeper(:a, %{backoff: [initial: 0]}),
             "invalid option :backoff with value [initial: 0]"},
            {sleeper(:a, %{backoff: [max: 1]}), "invalid option :backoff with value [max: 1]"},
            {sleeper(:a, %{backoff: [factor: 0.5]}), "invalid option :backoff"},
            {sleeper(:a, %{backoff: [jitter: 2]}), "invalid option :backoff"},
            {sleeper(:a, %{backoff: [reset_after: :x]}), "invalid option :backoff"},
            {sleeper(:a, %{backoff: %{often: 1}}), "unknown key :often"}
          ] do
        error = assert_raise ArgumentError, fn -> Servers.start_link([sleeper(:z), spec]) end
        assert error.message =~ text
      end

      error = assert_raise ArgumentError, fn -> Servers.start_link([sleeper(:a), sleeper(:a)]) end
      assert error.message =~ "invalid option :id with value :a"
      error = assert_raise ArgumentError, fn -> Servers.start_link(:x) end
      assert error.message =~ "invalid children :x"
    end

    test "children that wait for each other" do
      children = [
        sleeper(:a),
        sleeper(:b, %{start_after: [:a, :c]}),
        sleeper(:c, %{start_after: [:b]})
      ]

      error = assert_raise ArgumentError, fn -> Servers.start_link(children) end
      assert error.message =~ "invalid option :start_after with value [:a, :c] of child :b"
    end

    test "options" do
      for {option, value} <- [
            strategy: :simple_one_for_one,
            max_restarts: -1,
            max_restarts: 1.5,
            max_seconds: 0,
            auto_shutdown: true,
            output: &IO.puts/1,
            port: nil
          ] do
        error = assert_raise ArgumentError, fn -> Servers.start_link([], [{option, value}]) end
        assert error.message =~ "invalid option #{inspect(option)} with value #{inspect(value)}"
      end

      error = assert_raise ArgumentError, fn -> Servers.start_link([], colour: 1) end
      assert error.message =~ "unknown option :colour with value 1"
      error = assert_raise ArgumentError, fn -> Servers.start_link([], :x) end
      assert error.message =~ "invalid options :x"
    end

    test "a child that is added" do
      supervisor = start!([])

      for {spec, text} <- [
            {%{id: :a}, "invalid child specification"},
            {shell(:a, "", cd: "/nowhere"), "invalid option :cd with value \"/nowhere\""}
          ] do
        error = assert_raise ArgumentError, fn -> Servers.start_child(supervisor, spec) end
        assert error.message =~ text
      end

      assert Servers.which_children(supervisor) == []
      :ok = Servers.stop(supervisor)
    end
  end

  describe "an id" do
    test "may be nested deep, in every request" do
      id = nested(1000)
      supervisor = start!([sleeper(id), sleeper(:b, %{start_after: [id]})])
      :ok = Servers.terminate_child(supervisor, id)
      assert {:ok, _, _} = Servers.restart_child(supervisor, id)
      assert {:ok, %{id: ^id}} = Servers.get_childspec(supervisor, id)
      :ok = Servers.terminate_child(supervisor, id)
      :ok = Servers.delete_child(supervisor, id)
      assert {:ok, _, _} = Servers.start_child(supervisor, sleeper(id))
      :ok = Servers.stop(supervisor)
    end

    test "that is nested too deep raises in the caller, and nothing is started" do
      deep = nested(1001)
      supervisor = start!([])

      for {option, ask} <- [
            id: fn -> Servers.start_link([sleeper(:z), sleeper(deep)]) end,
            id: fn -> Servers.start_child(supervisor, sleeper(deep)) end,
            start_after: fn ->
              Servers.start_child(supervisor, sleeper(:a, %{start_after: [deep]}))
            end,
            id: fn -> Servers.terminate_child(supervisor, deep) end,
            id: fn -> Servers.restart_child(supervisor, deep) end,
            id: fn -> Servers.delete_child(supervisor, deep) end,
            id: fn -> Servers.get_childspec(supervisor, deep) end
          ] do
        error = assert_raise ArgumentError, ask
        assert error.message =~ "invalid option #{inspect(option)} with value [["
        assert error.message =~ "nested deeper than 1000"
      end

      # OTP's own functions send what they are given.
      assert {:error, {:frame_too_deep, 1024}} =
               Supervisor.terminate_child(supervisor, nested(2000))

      assert Servers.os_pid(supervisor, deep) == nil
      assert Servers.which_children(supervisor) == []
      :ok = Servers.stop(supervisor)
    end
  end

  test "a child that crashes comes back" do
    supervisor = start!([sleeper(:a), sleeper(:b)])
    [a, b] = os_pids(supervisor, [:a, :b])
    kill(a)
    assert eventually(fn -> Servers.os_pid(supervisor, :a) not in [a, nil] end)
    assert Servers.os_pid(supervisor, :b) == b
    assert gone?(a)
    :ok = Servers.stop(supervisor)
  end

  test "too many crashes end it and its process" do
    supervisor = start!([sleeper(:a), shell(:b, "exec cat")], max_restarts: 0)
    [a, b] = os_pids(supervisor, [:a, :b])
    kill(b)
    assert_receive {:EXIT, ^supervisor, :shutdown}
    assert gone?([a, b])
  end

  test "the strategy counts" do
    children = [sleeper(:a), sleeper(:b), sleeper(:c)]
    supervisor = start!(children, strategy: :rest_for_one)
    [a, b, c] = os_pids(supervisor, [:a, :b, :c])
    kill(b)
    assert eventually(fn -> Servers.os_pid(supervisor, :c) not in [c, nil] end)
    assert gone?([b, c])
    assert Servers.os_pid(supervisor, :a) == a
    :ok = Servers.stop(supervisor)
  end

  test "a significant child ends it" do
    child = shell(:a, "read go", [], %{restart: :temporary, significant: true})
    supervisor = start!([child, sleeper(:b)], auto_shutdown: :any_significant)
    b = Servers.os_pid(supervisor, :b)
    kill(Servers.os_pid(supervisor, :a))
    assert_receive {:EXIT, ^supervisor, :shutdown}
    assert gone?(b)
  end

  test "children come and go on request" do
    supervisor = start!([sleeper(:a)])
    assert {:error, {:already_started, a}} = Servers.start_child(supervisor, sleeper(:a))
    assert [{:a, ^a, :worker, _}] = Servers.which_children(supervisor)
    assert {:ok, b, os_pid} = Servers.start_child(supervisor, sleeper(:b, %{backoff: []}))
    assert b != a
    assert Servers.os_pid(supervisor, :b) == os_pid
    assert {:error, :running} = Servers.restart_child(supervisor, :b)
    assert {:error, :running} = Servers.delete_child(supervisor, :b)
    assert :ok = Servers.terminate_child(supervisor, :b)
    assert gone?(os_pid)
    assert Servers.os_pid(supervisor, :b) == nil
    assert {:b, :undefined, :worker, _} = hd(Servers.which_children(supervisor))
    assert {:error, :already_present} = Servers.start_child(supervisor, sleeper(:b))
    assert {:ok, _, new} = Servers.restart_child(supervisor, :b)
    assert running?(new)
    assert :ok = Servers.terminate_child(supervisor, :b)
    assert :ok = Servers.delete_child(supervisor, :b)

    for function <- [:terminate_child, :restart_child, :delete_child, :get_childspec],
        do: assert(apply(Servers, function, [supervisor, :b]) == {:error, :not_found})

    assert {:ok, %{id: :a, restart: :permanent, start: {:penning, :os_process, ["sleep" | _]}}} =
             Servers.get_childspec(supervisor, :a)

    assert {:error, {{:enoent, _}, _}} =
             Servers.start_child(supervisor, %{id: :c, start: {"no-such-program", [], []}})

    :ok = Servers.stop(supervisor)
  end

  describe "output" do
    test "goes to the function, with the child's id, and slows the child down" do
      test = self()

      output = fn id, stream, bytes ->
        send(test, {:blocked, self(), id, stream, bytes})
        receive do: (:go_on -> :ok)
      end

      script = "read go; exec yes"
      supervisor = start!([shell(:a, script, stdio_window: 4096)], output: output)
      go(supervisor, :a)
      assert_receive {:blocked, ^supervisor, :a, :stdout, "y\n" <> _}
      # a request is answered after what was sent before it
      {:ok, _} = Penning.Port.info()
      assert bytes_waiting(supervisor) <= 4096
      for _ <- 1..1000, do: send(supervisor, :go_on)
      Process.exit(supervisor, :kill)
    end

    test "goes to Logger, line by line" do
      log =
        capture_log([metadata: [:child]], fn ->
          script = "printf 'one\\ntw'; printf 'o\\nrest'; echo bad >&2"
          child = shell(:a, script, [], %{restart: :temporary})
          supervisor = start!([child], [])
          assert eventually(fn -> Servers.which_children(supervisor) == [] end)
          :ok = Servers.stop(supervisor)
        end)

      assert log =~ ~r/child=a \[info\] +one\n/
      assert log =~ ~r/\[info\] +two\n/
      assert log =~ ~r/\[info\] +rest\n/
      assert log =~ ~r/child=a \[warn(ing)?\] +bad\n/
    end

    test "that crashes the function ends the supervisor, and all is gone" do
      children = [sleeper(:a), shell(:b, "read go; echo $$; exec yes")]
      supervisor = start!(children, output: fn _, _, _ -> raise "boom" end)
      [a, b] = os_pids(supervisor, [:a, :b])
      go(supervisor, :b)
      assert_receive {:EXIT, ^supervisor, {%RuntimeError{message: "boom"}, _}}
      assert gone?([a, b])
    end
  end

  describe "the end" do
    test "stops the children and hands over their last words" do
      script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done"
      child = shell(:a, script, delay_to_sigkill: 10_000, ready: {:stdout, "up"})
      supervisor = start!([child, sleeper(:b)], told())
      os_pids = os_pids(supervisor, [:a, :b])
      :ok = Servers.stop(supervisor)
      assert gone?(os_pids)
      assert_receive {:a, :stdout, "bye\n"}
      assert_receive {:EXIT, ^supervisor, :normal}
    end

    test "of a supervisor above stops it, and its restart waits for what was killed" do
      children = [
        shell(:a, "trap '' TERM; echo up; while :; do sleep 1000; done", ready: {:stdout, "up"})
      ]

      {:ok, above} = Supervisor.start_link([{Servers, {children, []}}], strategy: :one_for_one)
      [{Servers, supervisor, :supervisor, _}] = Supervisor.which_children(above)
      os_pid = Servers.os_pid(supervisor, :a)
      Process.exit(supervisor, :kill)
      new = fn -> for {_, new, _, _} <- Supervisor.which_children(above), do: new end
      assert eventually(fn -> match?([new] when is_pid(new) and new != supervisor, new.()) end)
      [supervisor] = new.()
      assert is_integer(new_os_pid = Servers.os_pid(supervisor, :a))
      assert gone?(os_pid)
      Supervisor.stop(above)
      assert gone?(new_os_pid)
    end

    test "by a brutal kill leaves nothing behind, though it had a flood to consume" do
      port = own_port()
      test = self()

      output = fn id, _stream, bytes ->
        send(test, {id, bytes})
        receive do: (:never -> :ok)
      end

      children = [sleeper(:a), shell(:b, "read go; echo $$; exec yes", stdio_window: 4096)]
      supervisor = start!(children, port: port, output: output)
      go(supervisor, :b)
      assert_receive {:b, text}
      [os_pid | _] = String.split(text)
      assert eventually(fn -> byte_size(text) + bytes_waiting(supervisor) == 4096 end)
      Process.exit(supervisor, :kill)
      assert eventually(fn -> :sys.get_state(port).table == Penning.Table.new() end)
      assert gone?(os_pid)
      assert {:ok, %{children: 0}} = Penning.Port.info(port)
    end

    test "of the port program ends it" do
      port = own_port()
      supervisor = start!([sleeper(:a)], port: port)
      os_pid = Servers.os_pid(supervisor, :a)
      kill(penningd(port))
      assert_receive {:EXIT, ^supervisor, :noconnection}
      assert eventually(fn -> gone?(os_pid) end)
    end

    test "of the Penning.Port process ends it" do
      port = own_port()
      supervisor = start!([sleeper(:a)], port: port)
      os_pid = Servers.os_pid(supervisor, :a)
      stop_supervised!(Penning.Port.child_spec(name: port).id)
      assert_receive {:EXIT, ^supervisor, :noconnection}
      assert eventually(fn -> gone?(os_pid) end)
    end

    test "of the parent ends it" do
      test = self()

      parent =
        spawn(fn ->
          send(test, {:up, start!([sleeper(:a)])})
          receive do: (:never -> :ok)
        end)

      assert_receive {:up, supervisor}
      os_pid = Servers.os_pid(supervisor, :a)
      Process.exit(parent, :kill)
      assert eventually(fn -> gone?(os_pid) end)
      assert eventually(fn -> not Process.alive?(supervisor) end)
    end
  end

  describe "what OTP does not have:" do
    test "back-off delays the restart" do
      child = shell(:a, "exec cat", [], %{backoff: [initial: 60_000, max: 60_000]})
      supervisor = start!([child], max_restarts: 0)
      kill(Servers.os_pid(supervisor, :a))

      assert eventually(fn ->
               [{:a, state, :worker, _}] = Servers.which_children(supervisor)
               state == :restarting
             end)

      assert Servers.os_pid(supervisor, :a) == nil
      :ok = Servers.stop(supervisor)
    end

    test "back-off restarts at last" do
      child = sleeper(:a, %{backoff: %{initial: 1, jitter: 0}})
      supervisor = start!([child])
      os_pid = Servers.os_pid(supervisor, :a)
      kill(os_pid)
      assert eventually(fn -> Servers.os_pid(supervisor, :a) not in [os_pid, nil] end)
      :ok = Servers.stop(supervisor)
    end

    test "start_after puts a child behind its siblings" do
      children = [
        shell(:web, "exec cat", [ready: {:command, "true", []}], %{start_after: [:db]}),
        shell(:db, "echo up; exec cat", ready: {:stdout, "up"})
      ]

      supervisor = start!(children)
      assert [{:web, web, _, _}, {:db, db, _, _}] = Servers.which_children(supervisor)
      assert db < web
      :ok = Servers.stop(supervisor)
    end

    test "start_timeout ends a start that waits" do
      ready = [ready: {:stdout, "never"}]
      child = shell(:a, "echo $$; exec sleep 1000", ready, %{start_timeout: 1_500})

      assert {:error, {:shutdown, {:failed_to_start_child, :a, :timeout}}} =
               Servers.start_link([child], told())

      assert_receive {:a, :stdout, os_pid}
      assert gone?(String.trim(os_pid))
    end
  end
end
