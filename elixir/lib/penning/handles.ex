defmodule Penning.Handles do
  @moduledoc """
  Actors of a port program in the terms that come from it: pids of the node `penning`, whose number
  is the actor's Id. Pure.
  """

  alias Penning.Protocol

  @node :penning

  @doc """
  The term with another one in the place of each actor: what `fun` gives for its Id.

      iex> [_, {id, _}] = Penning.Handles.replace([1, {Penning.Handles.pid(7), %{}}], & &1)
      iex> id
      7
  """
  @spec replace(term, (Protocol.id() -> term)) :: term
  def replace(pid, fun) when is_pid(pid) and node(pid) == @node, do: fun.(id(pid))
  def replace([head | tail], fun), do: [replace(head, fun) | replace(tail, fun)]

  def replace(tuple, fun) when is_tuple(tuple),
    do: tuple |> Tuple.to_list() |> replace(fun) |> List.to_tuple()

  def replace(map, fun) when is_map(map),
    do: map |> :maps.to_list() |> replace(fun) |> :maps.from_list()

  def replace(other, _fun), do: other

  @doc "The pid of an Id, as the port program writes it."
  @spec pid(Protocol.id()) :: pid
  def pid(id) do
    <<serial::32, number::32>> = <<id::64>>
    :erlang.binary_to_term(<<131, 88, 119, 7, "penning", number::32, serial::32, 0::32>>)
  end

  # NEW_PID_EXT: node, number, serial, creation.
  defp id(pid) do
    bytes = :erlang.term_to_binary(pid)
    <<number::32, serial::32, _creation::32>> = binary_part(bytes, byte_size(bytes), -12)
    <<id::64>> = <<serial::32, number::32>>
    id
  end
end
