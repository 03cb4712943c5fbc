defmodule Chaos.Books do
  @moduledoc "What was opened and what was closed again. Observers make the monitors, and nobody kills them."

  @patience 20_000
  @fine [:normal, :shutdown, :killed, :kill, :chaos, :noproc, :noconnection]

  def new do
    :ets.new(__MODULE__, [:named_table, :public])

    for key <- [:faults, :calls, :calls_ended, :monitors, :downs, :slowest_end],
        do: :ets.insert(__MODULE__, {key, 0})
  end

  def count(key), do: :ets.update_counter(__MODULE__, key, 1, {key, 0})
  def read(key), do: :ets.lookup_element(__MODULE__, key, 2)
  def all, do: __MODULE__ |> :ets.tab2list() |> Enum.sort()

  @doc "Milliseconds until all was gone."
  def slowest(ms), do: :ets.insert(__MODULE__, {:slowest_end, max(ms, read(:slowest_end))})

  def fault(text) do
    count(:faults)
    IO.puts("FAULT: #{text}")
  end

  def patience, do: @patience

  @doc "Waits for what no event tells of."
  def eventually(fun, deadline \\ System.monotonic_time(:millisecond) + @patience) do
    cond do
      fun.() -> true
      System.monotonic_time(:millisecond) > deadline -> false
      true -> pause(10) && eventually(fun, deadline)
    end
  end

  def pause(ms), do: receive(do: (:never -> true), after: (ms -> true))

  @doc "A message within reason."
  defmacro await(pattern, what) do
    quote do
      receive do
        unquote(pattern) -> true
      after
        Chaos.Books.patience() -> Chaos.Books.fault("never came: #{inspect(unquote(what))}")
      end
    end
  end

  def observers, do: for(n <- 1..3, do: :"observer_#{n}")

  def start_observers do
    for name <- observers(), do: Process.register(spawn(fn -> observe(%{}) end), name)
  end

  def watch(pid, kind), do: for(name <- Enum.take_random(observers(), 2), do: send(name, {:watch, pid, kind}))

  @doc "Whom they still wait for."
  def open do
    for name <- observers(), do: send(name, {:open, self()})
    Enum.flat_map(observers(), fn _ -> receive(do: ({:open_monitors, pids} -> pids)) end)
  end

  defp observe(open) do
    receive do
      {:watch, pid, kind} ->
        count(:monitors)
        observe(Map.put(open, Process.monitor(pid), {kind, pid}))

      {:DOWN, monitor, :process, _, reason} ->
        open |> Map.pop(monitor) |> down(reason) |> observe()

      {:open, from} ->
        send(from, {:open_monitors, Map.values(open)})
        observe(open)
    end
  end

  defp down({nil, open}, reason) do
    fault("a second DOWN: #{inspect(reason)}")
    open
  end

  defp down({what, open}, reason) do
    count(:downs)
    if not fine?(reason), do: fault("#{inspect(what)} ended with #{inspect(reason)}")
    open
  end

  defp fine?({:signal, _}), do: true
  defp fine?({:exit_status, 3}), do: true
  defp fine?(reason), do: reason in @fine
end
