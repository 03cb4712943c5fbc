defmodule Penning.Table do
  @moduledoc """
  What is behind the Ids of a port, and which local process stands for it. Pure.

  An entry without a pid is an orphan: its proxy has died, its end has been asked for and not come
  yet.

      iex> alias Penning.Table
      iex> table = Table.new() |> Table.put(7, %{pid: self(), monitor: :m, key: :k, owned?: true})
      iex> {Table.pid(table, 7), Table.id(table, :m), Table.ids(table, :k)}
      {self(), 7, [7]}
      iex> table = Table.orphan(table, 7)
      iex> {Table.pid(table, 7), Table.id(table, :m), Table.ids(table, :k)}
      {nil, nil, [7]}
      iex> {%{owned?: true}, table} = Table.remove(table, 7)
      iex> table == Table.new()
      true
  """

  defstruct entries: %{}, monitors: %{}, keys: %{}

  @typedoc """
  `key` is what a restart has in common with what it replaces; `owned?` is false of a C++ actor only,
  which its handle does not own. The children of a supervisor have its Id in `above`, and no monitor of
  their own.
  """
  @type entry :: %{
          optional(:above) => id,
          pid: pid | nil,
          monitor: term,
          key: term,
          owned?: boolean
        }

  @type id :: Penning.Protocol.id()
  @opaque t :: %__MODULE__{entries: %{id => entry}, monitors: %{term => id}, keys: map}

  @spec new() :: t
  def new, do: %__MODULE__{}

  @spec put(t, id, entry) :: t
  def put(table, id, entry) do
    %{
      table
      | entries: Map.put(table.entries, id, entry),
        monitors: with_monitor(table.monitors, entry.monitor, id),
        keys: with_key(table.keys, entry.key, id)
    }
  end

  @spec get(t, id) :: entry | nil
  def get(table, id), do: Map.get(table.entries, id)

  @doc "The process that stands for this Id; `nil` for none, and for an orphan."
  @spec pid(t, id) :: pid | nil
  def pid(table, id) do
    case table.entries do
      %{^id => %{pid: pid}} -> pid
      _ -> nil
    end
  end

  @doc "The Id whose proxy has this monitor."
  @spec id(t, monitor :: term) :: id | nil
  def id(table, monitor), do: Map.get(table.monitors, monitor)

  @doc "The Ids with this key; none have `nil`."
  @spec ids(t, key :: term) :: [id]
  def ids(table, key), do: table.keys |> Map.get(key, %{}) |> Map.keys()

  @doc "The proxy of this Id has died."
  @spec orphan(t, id) :: t
  def orphan(table, id) do
    entry = Map.fetch!(table.entries, id)
    entries = Map.put(table.entries, id, %{entry | pid: nil, monitor: nil})
    %{table | entries: entries, monitors: Map.delete(table.monitors, entry.monitor)}
  end

  @spec remove(t, id) :: {entry | nil, t}
  def remove(table, id) do
    case Map.pop(table.entries, id) do
      {nil, _} ->
        {nil, table}

      {entry, entries} ->
        monitors = Map.delete(table.monitors, entry.monitor)
        keys = without_key(table.keys, entry.key, id)
        {entry, %{table | entries: entries, monitors: monitors, keys: keys}}
    end
  end

  @doc "The children of a supervisor."
  @spec children(t, id) :: [id]
  def children(table, id), do: for({child, %{above: ^id}} <- table.entries, do: child)

  @spec to_list(t) :: [{id, entry}]
  def to_list(table), do: Map.to_list(table.entries)

  @spec size(t) :: non_neg_integer
  def size(table), do: map_size(table.entries)

  defp with_monitor(monitors, nil, _id), do: monitors
  defp with_monitor(monitors, monitor, id), do: Map.put(monitors, monitor, id)

  defp with_key(keys, nil, _id), do: keys
  defp with_key(keys, key, id), do: Map.update(keys, key, %{id => []}, &Map.put(&1, id, []))

  defp without_key(keys, key, id) do
    case keys do
      %{^key => ids} when map_size(ids) > 1 -> %{keys | key => Map.delete(ids, id)}
      _ -> Map.delete(keys, key)
    end
  end
end
