# Kills at random, over the bridge: processes, C++ actors, OS children, port programs and whole BEAMs.
# Afterwards the books balance: each monitor answered once, each call ended, no OS process left, no
# table, descriptor or memory that grows.
#
#     cd elixir && PENNINGD=... PENNING_ACTOR_PORT=... mix run ../tests/system/chaos.exs --seconds 600
#
# The script runs itself in two kinds of BEAMs. One lives until the end and keeps the books, round after
# round; the others are killed. What they start has a mark in its environment, PENNING_CHAOS, by which it
# is found in /proc: a zombie has no environment. The seed decides what is done, not how it interleaves.

for part <- ~w(books os killer acts rounds), do: Code.require_file("chaos/#{part}.exs", __DIR__)

defmodule Chaos do
  @moduledoc "The BEAMs: one that lives, and others that are killed."

  alias Chaos.{Books, Os}

  def run(seconds, seed) do
    IO.puts("chaos: --seconds #{seconds} --seed #{seed}")
    :rand.seed(:exsss, seed)
    Books.new()
    steady = Task.async(fn -> live(seconds, seed) end)
    kill_beams(System.monotonic_time(:second) + seconds - 1)
    status = Task.await(steady, :infinity)
    IO.puts("BEAMs killed: #{Books.read(:beams)}, all gone within #{Books.read(:slowest_end)} ms")
    if status != 0 or Books.read(:faults) > 0, do: fail()
    IO.puts("the books balance")
  end

  defp fail do
    IO.puts("the books do not balance, see FAULT above")
    System.halt(1)
  end

  defp live(seconds, seed) do
    beam = start(seconds, seed)
    status = follow(beam)
    nothing_left(beam)
    status
  end

  defp kill_beams(until) do
    beam = start(3_600, :rand.uniform(1_000_000))
    if up?(beam), do: kill_beam(beam), else: Books.fault("a BEAM has not come up")
    nothing_left(beam)
    if System.monotonic_time(:second) < until, do: kill_beams(until)
  end

  defp kill_beam(beam) do
    Books.pause(:rand.uniform(4_000))
    {:os_pid, os_pid} = Port.info(beam.port, :os_pid)
    Os.kill(os_pid, Os.beam(beam.mark))
    Books.count(:beams)
    follow(beam)
  end

  defp start(seconds, seed) do
    mark = "chaos-#{System.pid()}-#{System.unique_integer([:positive])}"
    args = ["-pa", "#{:code.lib_dir(:penning, :ebin)}", __ENV__.file, "--inner"]
    args = args ++ ["--seconds", "#{seconds}", "--seed", "#{seed}"]
    options = [:binary, :exit_status, line: 10_000, args: args, env: [{'PENNING_CHAOS', '#{mark}'}]]
    %{port: Port.open({:spawn_executable, System.find_executable("elixir")}, options), mark: mark}
  end

  defp up?(%{port: port}) do
    receive do
      {^port, {:data, {:eol, "up"}}} -> true
      {^port, {:exit_status, _}} -> false
    end
  end

  defp follow(%{port: port} = beam) do
    receive do
      {^port, {:data, {_, "FAULT: " <> what}}} -> Books.fault(what) && follow(beam)
      {^port, {:data, {_, line}}} -> IO.puts(line) && follow(beam)
      {^port, {:exit_status, status}} -> status
    end
  end

  defp nothing_left(%{mark: mark}) do
    Os.gone!("the BEAM", fn -> Os.marked(Os.beam(mark)) end)
    for os_pid <- Os.marked(Os.beam(mark)), do: Os.kill(os_pid, Os.beam(mark))
  end
end

{options, []} =
  OptionParser.parse!(System.argv(), strict: [seconds: :integer, seed: :integer, inner: :boolean])

seconds = Keyword.get(options, :seconds, 10)
seed = Keyword.get(options, :seed, :rand.uniform(1_000_000))
if options[:inner], do: Chaos.Rounds.run(seconds, seed), else: Chaos.run(seconds, seed)
