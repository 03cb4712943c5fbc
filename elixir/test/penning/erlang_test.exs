defmodule Penning.ErlangTest do
  use Penning.Case, async: true

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  test "a process is opened, fed and closed, with strings" do
    {:ok, ps} = :penning.open('cat')
    :ok = :penning.command(ps, 'hello')
    assert_receive {^ps, {:data, "hello"}}
    assert {:ok, %{state: :running}} = :penning.info(ps)
    assert running?(:penning.os_pid(ps))
    assert :penning.window_size(ps, 1, 1) == {:error, :enotty}
    :ok = :penning.connect(ps, self())
    assert_receive {^ps, :connected}
    :ok = :penning.close_stdin(ps)
    assert_receive {:EXIT, ^ps, :normal}
    assert :penning.os_pid(ps) == :undefined

    {:ok, ps} = :penning.open("sleep", ['1000'])
    assert :penning.signal(ps, 'HUP') == :ok
    assert_receive {:EXIT, ^ps, {:signal, 1}}

    {:ok, ps} = :penning.open('sleep', ['1000'], [])
    :ok = :penning.close(ps)
    assert_receive {^ps, :closed}
  end

  test "a command runs to its end" do
    assert {:ok, %{how: {:status, 0}, out: "HÉLLO"}} =
             :penning.run('sed', ['s/h/H/;s/é/É/;s/llo/LLO/'], input: "héllo")

    assert {:ok, %{out: "x\n"}} = :penning.run('echo', ['x'])
    assert {:ok, %{how: {:status, 0}}} = :penning.run('true')
    assert :penning.run('no-such-program-anywhere') == {:error, :enoent}
  end

  test "an argument is text in UTF-8" do
    assert {:ok, %{out: "grüße €\n"}} = :penning.run('echo', ['grüße €'])
  end

  test "options are a property list, whose text may be strings" do
    path = temporary_file()

    opts = [
      :clear_env,
      cd: '/tmp',
      arg0: 'me',
      env: [{'A', 'one'}, {'B', false}],
      stdout: [{:file, to_charlist(path)}, :append],
      stop_signal: 'INT',
      ready: {:stdout, 'up'},
      stop_command: ['kill', '-9', '$MAINPID']
    ]

    File.write!(path, "was there\n")
    script = 'pwd; echo $A; echo ${HOME-none}'
    assert {:ok, %{how: {:status, 0}}} = :penning.run('/bin/sh', ['-c', script], opts)
    assert File.read!(path) == "was there\n/tmp\none\nnone\n"

    opts = [stdout_delivery: [delimiter: '\0'], ready: [check: {:tcp, '127.0.0.1', 1}]]
    assert {:ok, %{out: "a\0"}} = :penning.run('printf', ['a\\0'], opts)
  end

  test "options with text in them are understood: only the last one is refused" do
    opts = [
      uid: 'www-data',
      gid: 'www-data',
      groups: ['audio', 4],
      cgroup_path: 'a/b',
      cgroup_base: 'a',
      cgroup_controllers: ['cpu'],
      cgroup_sets: [{'cpu', 'cpu.weight', '50'}],
      limits: [memory: 1, io: [[device: '/dev/sda', read_bytes: 1]]],
      stdin: {:file, '/dev/null'},
      stderr: [{:file, 'x'}, :append],
      stderr_delivery: [delimiter: '\n'],
      ready: [check: {:command, 'test', ['-e', 'x']}, interval: 1],
      start_timeout: 1,
      colour: 'red'
    ]

    assert {:badarg, "unknown option :colour" <> _} = catch_error(:penning.open('cat', [], opts))
    # and each of them is looked at
    for {name, _} <- opts, name != :colour do
      opts = Keyword.replace(opts, name, 1.5)
      assert {:badarg, text} = catch_error(:penning.open('cat', [], opts))
      assert text =~ "invalid option #{inspect(name)}"
    end
  end

  test "what is bad is told" do
    for {ask, text} <- [
          {fn -> :penning.open('cat', [], colour: :red) end, "unknown option :colour"},
          {fn -> :penning.open('cat', [], [:clear_env | :x]) end, "invalid options"},
          {fn -> :penning.open('cat', [], [{:cd, :nowhere}]) end,
           "option :cd with value :nowhere"},
          {fn -> :penning.open('', []) end, ~s(invalid program "")},
          {fn -> :penning.open('cat', [:x]) end, "invalid argument :x"},
          {fn -> :penning.open('cat', [[0x110000]]) end, "invalid argument"},
          {fn -> :penning.open('cat', :x) end, "invalid arguments :x"},
          {fn -> :penning.adopt(0) end, "invalid option :os_pid with value 0"},
          {fn -> :penning.run('cat', [], timeout: -1) end, "option :timeout with value -1"},
          {fn -> :penning.start_link("M", 'cat', [], 1) end, "invalid callback module"}
        ] do
      assert {:badarg, told} = catch_error(ask.())
      assert told =~ text
    end
  end

  test "a process is adopted" do
    port = Port.open({:spawn_executable, "/bin/cat"}, [:exit_status])
    {:os_pid, os_pid} = Port.info(port, :os_pid)
    Port.command(port, "up")
    assert_receive {^port, {:data, _}}
    {:ok, ps} = :penning.adopt(os_pid, stop_signal: 'INT')
    :ok = :penning.close(ps)
    assert_receive {^port, {:exit_status, 130}}
  end

  test "a callback module in Erlang works" do
    args = ['-c', 'read x; echo $x; echo bad >&2; exit 3']
    {:ok, pid} = :penning_erlang_worker.start_link('/bin/sh', args, self())
    assert Process.whereis(:penning_erlang_worker) == pid
    assert running?(:gen_server.call(pid, :os_pid))
    :gen_server.cast(pid, {:command, ['go', ?\n]})
    assert_receive {:stdout, "go\n"}
    assert_receive {:stderr, "bad\n"}
    assert_receive {:exit, {:exit_status, 3}}
    assert_receive {:EXIT, ^pid, {:exit_status, 3}}
  end

  describe "a C++ actor" do
    setup do
      port = :"#{__MODULE__}.port"
      start_supervised!({Penning.Port, [name: port] ++ fake_port("actors")})
      %{port: port}
    end

    test "is found, called and cast to", %{port: port} do
      pid = :penning.whereis('counter', port: port)
      assert pid == :penning.whereis(:counter, port: port)
      assert :penning.call(pid, {:echo, 1}) == 1
      assert :penning.cast(pid, :hello) == :ok
      assert :penning.call(pid, :heard, 10_000) == [:hello]
      assert :penning.whereis('nobody', port: port) == :undefined
    end

    test "that is not there" do
      assert :penning.whereis('nobody of this name') == :undefined
      assert {:noproc, _} = catch_exit(:penning.call('nobody of this name', :hello))
      assert :penning.cast('nobody of this name', :hello) == :ok
    end
  end

  test "every function of Penning is there, but what is natural in Elixir only" do
    ours = for {name, arity} <- Penning.__info__(:functions), do: {name, arity}
    only = [child_spec: 1, executable_path: 0, stream!: 1, stream!: 2, stream!: 3]
    # what another module of this package inserts, @behaviour and the like
    assert Enum.sort(ours -- only) -- :penning.module_info(:exports) == []

    callbacks = :penning.behaviour_info(:callbacks)
    assert Enum.sort(callbacks) == Enum.sort(Penning.behaviour_info(:callbacks))
  end
end
