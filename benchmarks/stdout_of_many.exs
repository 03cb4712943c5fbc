# Receives what CHILDREN write without a pause, for MILLISECONDS:
#
#     elixir stdout_of_many.exs port|penning CHILDREN MILLISECONDS
#
# `port`: each is the program of an Erlang port. `penning`: of Penning.open/3. One process owns all,
# and the first half of a second, in which they begin to write, does not count. Prints the bytes that
# came, the seconds, 0, and the share of the mean that the slowest one got, in percent.

defmodule Many do
  @flood System.fetch_env!("PENNING_BENCH_FLOOD_PROGRAM")
  @args ["#{1_000_000_000_000_000}", "-", "wait"]
  @warm_up 500

  # Waits for a byte, so that all begin to write at once.
  def start("port"),
    do: Port.open({:spawn_executable, @flood}, [:binary, :exit_status, args: @args])

  def start("penning") do
    {:ok, ps} = Penning.open(@flood, @args)
    ps
  end

  def begin(port) when is_port(port), do: Port.command(port, "x")
  def begin(ps), do: Penning.command(ps, "x")

  def count(children, milliseconds) do
    Enum.each(children, &begin/1)
    receive_until(now() + @warm_up, %{})
    since = now()
    counts = receive_until(since + milliseconds, Map.new(children, &{&1, 0}))
    {counts |> Map.values(), (now() - since) / 1000}
  end

  defp receive_until(deadline, counts) do
    receive do
      {child, {:data, bytes}} ->
        size = byte_size(bytes)
        counts = Map.update(counts, child, size, &(&1 + size))
        if now() < deadline, do: receive_until(deadline, counts), else: counts
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end

[way, children, milliseconds] = System.argv()
[children, milliseconds] = Enum.map([children, milliseconds], &String.to_integer/1)
{:ok, _} = Application.ensure_all_started(:penning)
all = for _ <- 1..children, do: Many.start(way)
{counts, seconds} = Many.count(all, milliseconds)
share = Enum.min(counts) / (Enum.sum(counts) / children) * 100
IO.puts("#{Enum.sum(counts)} #{seconds} 0 #{share}")
