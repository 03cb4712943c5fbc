# Starts COUNT children that only wait:
#
#     elixir children_over_the_bridge.exs port|penning OWNERS COUNT start|memory|beam_memory
#     elixir children_over_the_bridge.exs port|penning OWNERS COUNT idle MILLISECONDS
#
# `port`: each is the program of an Erlang port. `penning`: of Penning.open/3. They are started and
# owned by OWNERS processes, and up when their first byte has come. Prints COUNT, the seconds that it
# took, and the bytes that all are: `memory`, by which the BEAM and the programs that it runs have
# grown, the children themselves apart; `beam_memory`, of :erlang.memory/0.
#
# `idle` prints how many processes that are, and their pids, and waits for MILLISECONDS.

defmodule Children do
  @waiter System.fetch_env!("PENNING_BENCH_WAITER_PROGRAM")
  # Ends with its stdin, so that none outlives us.
  @args ["up", "eof"]

  def start("port", count) do
    for _ <- 1..count//1,
        do: Port.open({:spawn_executable, @waiter}, [:binary, :exit_status, args: @args])
  end

  def start("penning", count) do
    for _ <- 1..count//1 do
      {:ok, ps} = Penning.open(@waiter, @args)
      ps
    end
  end

  # Each owner starts its share and lives on.
  def run(way, owners, count) do
    me = self()

    for n <- 1..owners do
      share = div(count * n, owners) - div(count * (n - 1), owners)

      spawn_link(fn ->
        all = start(way, share)
        Enum.each(all, fn child -> receive(do: ({^child, {:data, "\n"}} -> :ok)) end)
        send(me, :up)
        Process.sleep(:infinity)
      end)
    end

    for _ <- 1..owners, do: receive(do: (:up -> :ok))
  end

  # The BEAM, and all below it but the children.
  def programs do
    parents =
      for pid <- pids(), {:ok, stat} <- [File.read("/proc/#{pid}/stat")] do
        [_, name, rest] = Regex.run(~r/\((.*)\) \S (.*)/s, stat)
        {pid, name, rest |> String.split(" ", parts: 2) |> hd()}
      end

    below = parents |> Enum.reject(&child?/1) |> Enum.group_by(&elem(&1, 2), &elem(&1, 0))
    with_descendants(System.pid(), below)
  end

  defp pids, do: Enum.filter(File.ls!("/proc"), &(&1 =~ ~r/^\d+$/))
  defp child?({_, name, _}), do: name == String.slice(Path.basename(@waiter), 0, 15)

  defp with_descendants(pid, below),
    do: [pid | below |> Map.get(pid, []) |> Enum.flat_map(&with_descendants(&1, below))]

  # What the compiler of this script has left behind is no one's.
  def settle do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)
    Process.sleep(500)
  end

  # Pss of smaps_rollup, see proc(5).
  def memory("memory") do
    programs()
    |> Enum.map(fn pid ->
      rollup = File.read!("/proc/#{pid}/smaps_rollup")
      [_, kib] = Regex.run(~r/^Pss:\s+(\d+) kB/m, rollup)
      String.to_integer(kib) * 1024
    end)
    |> Enum.sum()
  end

  def memory(_), do: :erlang.memory(:total)
end

[way, owners, count, phase | more] = System.argv()
[owners, count] = Enum.map([owners, count], &String.to_integer/1)
{:ok, _} = Application.ensure_all_started(:penning)
if way == "penning", do: {:ok, _} = Penning.Port.info()

if more == [], do: Children.settle()
before = Children.memory(phase)
{time, _} = :timer.tc(fn -> Children.run(way, owners, count) end)

case more do
  [] ->
    # There is something to tidy up.
    Process.sleep(500)
    IO.puts("#{count} #{time / 1.0e6} #{Children.memory(phase) - before}")

  [milliseconds] ->
    programs = Children.programs()
    IO.puts("#{length(programs)} #{Enum.join(programs, " ")}")
    milliseconds |> String.to_integer() |> Process.sleep()
end
