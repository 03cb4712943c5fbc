defmodule Recorder.Draw do
  @moduledoc "Draws from the generator of the process, which `:rand.seed` has set."

  def some(map, percent, key, value),
    do: if(chance(percent), do: Map.put(map, key, value), else: map)

  def chance(percent), do: :rand.uniform(100) <= percent
  def pick(list), do: Enum.random(list)

  def weighted(weights) do
    weights |> Enum.flat_map(fn {value, weight} -> List.duplicate(value, weight) end) |> pick()
  end
end
