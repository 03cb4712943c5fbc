defmodule Chaos.Rounds do
  @moduledoc "The BEAM in which it all happens: rounds of chaos, and after each of them the books."

  import Chaos.Books
  alias Chaos.{Acts, Killer, Os}

  @workers 24
  @ports [:steady, :doomed, Penning.Port]
  @growth_kib 16 * 1024

  def run(seconds, seed) do
    Logger.configure(level: :none)
    # Whoever started us has ended.
    spawn(fn -> IO.read(:stdio, :line) && System.halt(1) end)
    prepare(seed)
    until = now() + seconds * 1_000
    baseline = baseline()
    IO.puts("up")
    rounds(until, Map.put(baseline, :memory, nil), 1)
    for {key, n} <- all(), do: IO.puts("  #{key}: #{n}")
    if read(:faults) > 0, do: System.halt(1)
  end

  defp prepare(seed) do
    :rand.seed(:exsss, seed)
    new()
    start_observers()
    Killer.start(seed)
    {:ok, _} = Application.ensure_all_started(:penning)
    executable = System.fetch_env!("PENNING_ACTOR_PORT")
    ports = for name <- [:steady, :doomed], do: {Penning.Port, name: name, executable: executable}
    {:ok, _} = Supervisor.start_link(ports, strategy: :one_for_one, max_restarts: 1_000_000)
  end

  # What is there from the first child on is there before the first count.
  defp baseline do
    {:ok, %{how: {:status, 0}}} = Penning.run("true", [], port: :steady)
    os_pid = os_pid(:steady)
    %{os_pid: os_pid, descriptors: Enum.sort(Os.descriptors(os_pid)), processes: length(Process.list())}
  end

  defp os_pid(port) do
    with {:ok, %{os_pid: os_pid}} <- Penning.Port.info(port), do: os_pid
  end

  defp rounds(until, baseline, n) do
    chaos(min(now() + 5_000, until))
    balance(baseline)
    baseline = memory(baseline, n)
    if now() < until and read(:faults) == 0, do: rounds(until, baseline, n + 1)
  end

  defp chaos(until) do
    monitors = for _ <- 1..@workers, do: elem(Acts.start(fn -> work(until) end), 1)
    {_, killer} = Acts.start(fn -> kill_programs(until) end)
    for monitor <- [killer | monitors], do: ended(monitor, until + 60_000)
  end

  defp ended(monitor, deadline) do
    receive do
      {:DOWN, ^monitor, _, _, _} -> :ok
    after
      max(deadline - now(), 0) -> hangs()
    end
  end

  defp hangs do
    fault("what hangs: #{inspect(Acts.running())}; open monitors: #{inspect(open())}")
    System.halt(1)
  end

  defp work(until) do
    {_, monitor} = Acts.start(&Acts.random/0)
    receive(do: ({:DOWN, ^monitor, _, _, reason} -> check(reason)))
    if now() < until, do: work(until)
  end

  # A mistake of an act, not a kill.
  defp check({error, [{_, _, _, _} | _] = stack}), do: fault(Exception.format(:error, error, stack))
  defp check(_reason), do: :ok

  defp kill_programs(until) do
    pause(:rand.uniform(2_000))

    if now() < until do
      Enum.random([
        fn -> kill(Penning.Port, :programs_killed, &Os.kill(&1, Os.beam())) end,
        fn -> kill(:doomed, :programs_killed, &Os.kill(&1, Os.beam())) end,
        fn -> kill(:doomed, :ports_killed, fn _ -> Process.exit(Process.whereis(:doomed), :kill) end) end
      ]).()

      kill_programs(until)
    end
  end

  # What it had started by then does not outlive it.
  defp kill(port, book, how) do
    mark = Os.child(port)

    with os_pid when is_integer(os_pid) <- os_pid(port) do
      children = Os.marked(mark)
      count(book)
      how.(os_pid)
      Os.gone!("#{port}", fn -> for child <- Os.marked(mark), child in children, do: child end)
    end
  end

  defp balance(baseline) do
    expect("open monitors", [], &open/0)
    expect("calls that hang", 0, fn -> read(:calls) - read(:calls_ended) end)
    for port <- @ports, do: expect("left in #{port}", clean(), fn -> tables(port) end)
    for port <- @ports, do: expect("children of #{port}", 0, fn -> children(port) end)
    expect("OS children", "", fn -> Os.child() |> Os.marked() |> Os.describe() end)
    expect("program", baseline.os_pid, fn -> os_pid(:steady) end)
    expect("descriptors", baseline.descriptors, fn -> Enum.sort(Os.descriptors(baseline.os_pid)) end)
    expect("processes", baseline.processes, fn -> length(Process.list()) end)
  end

  defp expect(what, wanted, fun) do
    if not eventually(fn -> fun.() == wanted end),
      do: fault("#{what}: #{inspect(fun.(), limit: 20)}, not #{inspect(wanted)}")
  end

  defp clean, do: {0, 0, 0, 0, 0, 0}

  defp tables(port) do
    state = :sys.get_state(port)
    maps = [state.pending, state.opening, state.processes.monitors, state.pieces]
    List.to_tuple([Penning.Table.size(state.table), length(state.held) | Enum.map(maps, &map_size/1)])
  end

  defp children(port) do
    with {:ok, %{children: n}} <- Penning.Port.info(port), do: n
  end

  defp memory(baseline, n) do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    now = {Os.memory(baseline.os_pid), div(:erlang.memory(:total), 1024)}
    IO.puts("round #{n}: KiB of the program and of the BEAM #{inspect(now)}, #{read(:monitors)} monitors")
    grown? = baseline.memory && elem(now, 0) > elem(baseline.memory, 0) + @growth_kib

    if grown? || (baseline.memory && elem(now, 1) > elem(baseline.memory, 1) + @growth_kib),
      do: fault("memory has grown: #{inspect(baseline.memory)} to #{inspect(now)}")

    %{baseline | memory: baseline.memory || now}
  end

  defp now, do: System.monotonic_time(:millisecond)
end
