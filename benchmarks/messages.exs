# Sends a binary to a program and waits for it to come back, COUNT times, OUTSTANDING at a time:
#
#     elixir messages.exs ei|send|call BYTES OUTSTANDING COUNT
#
# `ei`: a port program in C, whose port we own. `send`, `call`: to a C++ actor, by `send/2` or as
# `GenServer.call/2` asks. Prints COUNT, the seconds that it took, and 0.

defmodule Messages do
  # What sends one, and what takes one that has come back.
  def ways("ei") do
    program = System.fetch_env!("PENNING_BENCH_EI_ECHO")
    port = Port.open({:spawn_executable, program}, [:binary, {:packet, 4}])

    put = fn bytes, _n -> Port.command(port, :erlang.term_to_binary({:ping, self(), bytes})) end

    take = fn ->
      receive do
        {^port, {:data, data}} -> elem(:erlang.binary_to_term(data), 2)
      end
    end

    {put, take}
  end

  def ways("send") do
    actor = actor()
    put = fn bytes, _n -> send(actor, {:ping, self(), bytes}) end

    take = fn ->
      receive do
        {:pong, bytes} -> bytes
      end
    end

    {put, take}
  end

  # What GenServer.call/2 sends: it would wait for each answer by itself.
  def ways("call") do
    actor = actor()
    put = fn bytes, n -> send(actor, {:"$gen_call", {self(), n}, bytes}) end

    take = fn ->
      receive do
        {n, bytes} when is_integer(n) -> bytes
      end
    end

    {put, take}
  end

  defp actor do
    executable = System.fetch_env!("PENNING_BENCH_ECHO_PORT")
    {:ok, server} = Penning.Port.start_link(executable: executable)
    Penning.whereis("echo", port: server)
  end

  def run({put, take}, bytes, outstanding, count) do
    for n <- 1..outstanding, do: put.(bytes, n)
    around(put, take, bytes, count - outstanding)
    for _ <- 1..outstanding, do: ^bytes = take.()
  end

  defp around(_put, _take, _bytes, left) when left <= 0, do: :ok

  defp around(put, take, bytes, left) do
    ^bytes = take.()
    put.(bytes, left)
    around(put, take, bytes, left - 1)
  end
end

[way, bytes, outstanding, count] = System.argv()
[bytes, outstanding, count] = Enum.map([bytes, outstanding, count], &String.to_integer/1)
ways = Messages.ways(way)
bytes = :binary.copy("x", bytes)
Messages.run(ways, bytes, outstanding, max(div(count, 10), outstanding))

{time, _} = :timer.tc(fn -> Messages.run(ways, bytes, outstanding, count) end)
IO.puts("#{count} #{time / 1.0e6} 0")
