defmodule Chaos.Acts do
  @moduledoc "What goes on between the two sides. Each act ends by itself, as what it waits for is killed."

  import Chaos.Books
  import Chaos.Killer, only: [victim: 1]

  @acts [:os_child, :os_child, :told_by_cpp, :told_by_cpp, :linked, :called, :tree, :supervised]

  def start(fun) do
    seed = :rand.uniform(1_000_000_000)
    spawn_monitor(fn -> :rand.seed(:exsss, seed) && fun.() end)
  end

  def random do
    act = Enum.random(@acts)
    count(act)
    Process.put(:act, act)
    Process.flag(:trap_exit, true)
    apply(__MODULE__, act, [])
  end

  @doc "Which acts go on, and what they do."
  def running do
    for pid <- Process.list(),
        {:dictionary, [_ | _] = dictionary} <- [Process.info(pid, :dictionary)],
        act = dictionary[:act],
        do: {act, Process.info(pid, :current_function)}
  end

  # Owned by us, who may die in the middle of its start.
  def os_child do
    if :rand.uniform(5) == 1, do: victim(self())
    port = Enum.random([:steady, :doomed, Penning.Port])
    {program, args} = Enum.random(programs())

    case Penning.open(program, args, port: port, env: env(port), delay_to_sigkill: 50) do
      {:ok, ps} -> watch(ps, :os_child) && use_child(ps)
      {:error, :enoent} when program == "no-such-program" -> :ok
      {:error, reason} -> refused(port, reason)
    end
  end

  defp programs do
    [
      {"sleep", ["1000"]},
      {"cat", []},
      {"sh", ["-c", "setsid sleep 1000 & exec cat"]},
      {"sh", ["-c", "setsid sleep 1000 & exit 3"]},
      {"no-such-program", []}
    ]
  end

  defp env(port), do: [Chaos.Os.env(port)]

  defp use_child(ps) do
    Penning.command(ps, :binary.copy("x", :rand.uniform(100_000)))
    how = Enum.random([:proxy, :os, :close, :stdin, :owner])
    end_child(how, ps)
    await({:EXIT, ^ps, _}, {:os_child, how, ps})
  end

  defp end_child(:os, ps), do: if(os_pid = Penning.os_pid(ps), do: victim({:os, os_pid})) || victim(ps)
  defp end_child(:close, ps), do: Penning.close(ps)
  defp end_child(:owner, _ps), do: exit(:chaos)
  defp end_child(:stdin, ps), do: Penning.close_stdin(ps) && victim(ps)
  defp end_child(:proxy, ps), do: victim(ps)

  # A monitor of a C++ actor is answered once, and truly, unless the actor ends before.
  def told_by_cpp do
    with_actor("probe", fn probe, port ->
      {kind, target} = target(port)
      {mine, its} = {Process.monitor(target), Process.monitor(probe)}

      if call(probe, {:tell, self()}) == :ok and call(probe, {:monitor, target}) == :ok do
        count(:cpp_monitors)
        Enum.each(Enum.random([[target], [target], [target, probe]]), &victim/1)
        told = told(its)
        check_told(told, kind, target, mine)
        Process.exit(probe, :chaos)
        await({:DOWN, ^its, _, _, _}, {:end_of, probe})
        # Killed brutally, it counts as gone a little before it is: one may come yet.
        if told && told(nil, 0), do: fault("a second down from C++")
      end

      Process.exit(target, :kill)
    end)
  end

  defp told(its, patience \\ patience()) do
    receive do
      {:down, reason} -> {:down, reason}
      {:DOWN, ^its, _, _, _} = down -> send(self(), down) && nil
    after
      patience -> if its, do: :never
    end
  end

  defp check_told(nil, _, _, _), do: count(:cpp_monitors_excused)
  defp check_told(:never, kind, _, _), do: fault("no down from C++ of #{inspect(kind)}")

  defp check_told({:down, reason}, kind, target, mine) do
    count(:cpp_downs)
    if kind == :process and Process.alive?(target), do: fault("a down from C++ of who lives")

    receive do
      {:DOWN, ^mine, _, _, ^reason} -> :ok
      {:DOWN, ^mine, _, _, _} when reason == :noproc and kind != :process -> :ok
      {:DOWN, ^mine, _, _, truth} -> fault("#{inspect(reason)} from C++, not #{inspect(truth)}")
    after
      patience() -> fault("a down from C++ only: #{inspect(reason)}")
    end
  end

  # A process, an OS child, an actor of the same program or of another one.
  defp target(port) do
    with kind when kind != :process <- Enum.random([:process, :process, :child, :steady, :doomed]),
         {:ok, pid} <- target_of(kind) do
      {if(kind == port, do: :same, else: kind), pid}
    else
      _ -> {:process, idle()}
    end
  end

  defp target_of(:child), do: Penning.open("sleep", ["1000"], env: env(Penning.Port))
  defp target_of(port), do: Penning.Actor.start_link("probe", [], port: port)

  defp idle, do: spawn(fn -> receive(do: (:stop -> :ok)) end)

  # Linked from either side: who stays behind ends, too.
  def linked do
    with_actor("probe", fn probe, _port ->
      other = Enum.random([fn -> cpp_links(probe) end, fn -> elixir_links(probe) end]).()
      monitors = for pid <- [probe, other], do: Process.monitor(pid)
      if other, do: victim(Enum.random([probe, other]))
      for monitor <- monitors, do: await({:DOWN, ^monitor, _, _, _}, {:linked, probe, other})
    end)
  end

  defp cpp_links(probe) do
    other = idle()
    if call(probe, {:link, other}) != :ok, do: Process.exit(other, :kill)
    other
  end

  defp elixir_links(probe) do
    me = self()

    {other, monitor} =
      spawn_monitor(fn -> Process.link(probe) && send(me, :linked) && receive(do: (:stop -> :ok)) end)

    receive do
      :linked -> Process.demonitor(monitor, [:flush])
      {:DOWN, ^monitor, _, _, _} -> :ok
    end

    other
  end

  # Calls under way when the actor ends; of some the caller ends first.
  def called do
    with_actor("probe", fn probe, _port ->
      callers = for n <- 1..6, do: start(fn -> call_once(Enum.random(0..5), n, probe) end)
      victim(probe)
      for _ <- 1..3, do: victim(spawn(fn -> GenServer.call(probe, :hang, :infinity) end))
      for {_, monitor} <- callers, do: await({:DOWN, ^monitor, _, _, _}, {:call, probe})
    end)
  end

  defp call_once(0, _n, probe), do: call(probe, :hang)
  defp call_once(1, n, probe), do: check(call(probe, {:echo, {n, self()}}), {n, self()})
  defp call_once(2, n, probe), do: check(call(probe, {:sum, n, 2}), n + 2)
  defp call_once(3, _n, probe), do: check(call(probe, :self), probe)
  defp call_once(4, n, probe), do: check(call(probe, {:call, idle_for(20), :x, n * 5}), {:error, :timeout})

  defp call_once(5, n, probe),
    do: (:rand.uniform(4) == 1 && call(probe, {:stop, :chaos})) || check(call(probe, {:echo, n}), n)

  defp idle_for(ms), do: spawn(fn -> pause(ms) end)

  defp check({:exit, _}, _expected), do: :ok
  defp check(expected, expected), do: :ok
  defp check({:error, reason}, {:error, :timeout}) when reason in [:normal, :noproc], do: :ok
  defp check(got, expected), do: fault("#{inspect(got)}, not #{inspect(expected)}")

  defp call(actor, message) do
    count(:calls)
    GenServer.call(actor, message, :infinity)
  catch
    :exit, reason -> {:exit, reason}
  after
    count(:calls_ended)
  end

  # A C++ supervisor, and its children.
  def tree do
    with_actor("tree", fn tree, _port ->
      with children when is_list(children) <- call(tree, :which_children),
           pids = for({_, pid, _, _} when is_pid(pid) <- children, do: pid),
           do: Enum.each(pids, &(watch(&1, :in_tree) && victim(&1)))

      call(tree, :count_children)
      Enum.each([tree, tree], &victim/1)
    end)
  end

  # Under an Elixir supervisor: restarted after each kill.
  def supervised do
    port = Enum.random([:steady, :doomed])
    daemon = {"sh", ["-c", "echo x; exec cat"], port: port, env: env(port), log_output: false}
    children = [{Penning.Actor, {"probe", [], port: port}}, {Penning.Daemon, daemon}]

    case Supervisor.start_link(children, strategy: :one_for_one, max_restarts: 1_000) do
      {:ok, supervisor} -> kill_children(supervisor)
      {:error, reason} -> refused(port, reason)
    end
  end

  defp kill_children(supervisor) do
    for _ <- 1..3, {_, pid, _, _} when is_pid(pid) <- Supervisor.which_children(supervisor) do
      watch(pid, :supervised)
      monitor = Process.monitor(pid)
      victim({:brutally, pid})
      await({:DOWN, ^monitor, _, _, _}, {:supervised, pid})
    end

    Supervisor.stop(supervisor)
  end

  defp with_actor(name, fun) do
    port = Enum.random([:steady, :steady, :doomed])

    case Penning.Actor.start_link(name, [], port: port) do
      {:ok, actor} -> watch(actor, name) && fun.(actor, port) && Process.exit(actor, :shutdown)
      {:error, reason} -> refused(port, reason)
    end
  end

  defp refused(:steady, reason), do: fault("refused: #{inspect(reason)}")
  defp refused(_port, _reason), do: count(:refused)
end
