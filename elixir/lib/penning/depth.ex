defmodule Penning.Depth do
  @moduledoc """
  How deep a term is nested, counted as the port program counts: containers within containers.
  Pure.

  A container is a tuple, a map, a list that is not empty, or a fun, which contains its
  environment. The tail of a list is part of the list.
  """

  @doc """
  Whether a term has at most so many containers within each other. Stops at the first that is one
  too many.

      iex> alias Penning.Depth
      iex> {Depth.within?(:a, 0), Depth.within?([], 0), Depth.within?({}, 0)}
      {true, true, false}
      iex> {Depth.within?([1, {2}, %{a: "b"}], 2), Depth.within?([1, {2, [3]}], 2)}
      {true, false}
      iex> {Depth.within?(%{{1} => 2}, 1), Depth.within?([1 | {2}], 1)}
      {false, false}
  """
  @spec within?(term, non_neg_integer) :: boolean
  def within?([_ | _] = list, limit), do: limit > 0 and all?(list, limit - 1)

  def within?(tuple, limit) when is_tuple(tuple),
    do: limit > 0 and all?(Tuple.to_list(tuple), limit - 1)

  def within?(map, limit) when is_map(map),
    do: limit > 0 and all?(Map.keys(map), limit - 1) and all?(Map.values(map), limit - 1)

  def within?(fun, limit) when is_function(fun) do
    case :erlang.fun_info(fun, :type) do
      {:type, :local} -> limit > 0 and all?(elem(:erlang.fun_info(fun, :env), 1), limit - 1)
      {:type, :external} -> true
    end
  end

  def within?(_no_container, _limit), do: true

  defp all?([head | tail], limit), do: within?(head, limit) and all?(tail, limit)
  defp all?(tail, limit), do: within?(tail, limit)
end
