# Receives all that a child writes:
#
#     elixir stdout_to_elixir.exs port|relay PIPE BYTES
#     elixir stdout_to_elixir.exs penning PIPE BYTES WINDOW
#
# The child writes BYTES, and all pipes on their way hold PIPE bytes. `port`: it is the program of an
# Erlang port. `relay`: splice_relay is, and the child its child. `penning`: of Penning.open/3, with a
# `stdio_window` of WINDOW. Prints the bytes that came, the seconds that it took, and 0.

defmodule Output do
  @flood System.fetch_env!("PENNING_BENCH_FLOOD_PROGRAM")
  @with_pipes System.fetch_env!("PENNING_BENCH_WITH_PIPES_PROGRAM")
  @relay System.fetch_env!("PENNING_BENCH_SPLICE_RELAY_PROGRAM")

  # What starts the child, and what counts its bytes.
  def way(["port", pipe, bytes]),
    do: {fn -> port(@with_pipes, [pipe, @flood, bytes, "-"]) end, &from_port/2}

  def way(["relay", pipe, bytes]),
    do: {fn -> port(@relay, [pipe, @flood, bytes, "-"]) end, &from_port/2}

  def way(["penning", pipe, bytes, window]) do
    Process.flag(:trap_exit, true)
    penningd = System.fetch_env!("PENNINGD")
    {:ok, hub} = Penning.Port.start_link(executable: @with_pipes, args: [pipe, penningd])
    {:ok, _} = Penning.Port.info(hub)
    options = [port: hub, stdio_window: String.to_integer(window)]

    start = fn ->
      {:ok, ps} = Penning.open(@with_pipes, [pipe, @flood, bytes, "-"], options)
      ps
    end

    {start, &from_penning/2}
  end

  defp port(program, args),
    do: Port.open({:spawn_executable, program}, [:binary, :exit_status, args: args])

  defp from_port(port, sum) do
    receive do
      {^port, {:data, bytes}} -> from_port(port, sum + byte_size(bytes))
      {^port, {:exit_status, 0}} -> sum
    end
  end

  defp from_penning(ps, sum) do
    receive do
      {^ps, {:data, bytes}} -> from_penning(ps, sum + byte_size(bytes))
      {:EXIT, ^ps, :normal} -> sum
    end
  end
end

{start, count} = System.argv() |> Output.way()
{time, bytes} = :timer.tc(fn -> count.(start.(), 0) end)
IO.puts("#{bytes} #{time / 1.0e6} 0")
