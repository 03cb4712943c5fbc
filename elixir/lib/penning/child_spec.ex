defmodule Penning.ChildSpec do
  @moduledoc """
  A child of a `Penning.Supervisor`, checked before anything is started. Pure.

  | key | value | default |
  |---|---|---|
  | `:id` | any term, unique among the children, nested at most 1000 deep | required |
  | `:start` | `{program, args, options}`, as `Penning.open/3` takes them | required |
  | `:restart` | `:permanent`, `:transient` or `:temporary` | `:permanent` |
  | `:shutdown` | milliseconds to end in, `:infinity` or `:brutal_kill` | 5000 |
  | `:significant` | whether its own end may end the supervisor, see `:auto_shutdown` | `false` |
  | `:type` | `:worker` | `:worker` |
  | `:modules` | a list of modules, or `:dynamic` | `[:penning]` |
  | `:backoff` | how long to wait before a restart, see below | not at all |
  | `:start_after` | a list of ids: siblings that are up before it starts | `[]` |
  | `:start_timeout` | milliseconds, or `:infinity`: a start that takes longer has failed with `:timeout` | `:infinity` |

  `:backoff` is a keyword list or a map; `[]` means all defaults.

  | key | value | default |
  |---|---|---|
  | `:initial` | milliseconds before the first restart, 1 or more | 100 |
  | `:max` | never longer, `:initial` or more | 30000 |
  | `:factor` | from one restart to the next, 1 or more | 2.0 |
  | `:jitter` | up to this part of it, 0 to 1, is left out at random | 0.1 |
  | `:reset_after` | a child that ran that many milliseconds begins anew | 60000 |
  """

  alias Penning.{Depth, Options}

  @keys [:id, :start, :restart, :shutdown, :significant, :type, :modules] ++
          [:backoff, :start_after, :start_timeout]
  @max_ms 4_294_967_295
  # What is left of the depth of a frame is for the requests that ids are in.
  @id_depth 1000
  @backoff_defaults %{initial: 100, max: 30_000}

  @type t :: %{
          required(:id) => term,
          required(:start) => {binary, [binary], [Penning.option()]},
          optional(atom) => term
        }

  @doc """
  The specification for the port program; raises `ArgumentError`, naming option and value.

      iex> Penning.ChildSpec.wire!(%{id: :web, start: {"web", [], cd: "/"}, backoff: []})
      %{id: :web, start: {:penning, :os_process, ["web", [], %{cd: "/"}]}, backoff: %{}}

      iex> Penning.ChildSpec.wire!(%{id: :web, start: {"web", [], []}, restart: :always})
      ** (ArgumentError) invalid option :restart with value :always of child :web: expected :permanent, :transient or :temporary
  """
  @spec wire!(term) :: map
  def wire!(%{id: id, start: start} = spec) do
    Enum.each(spec, &check!(&1, id))
    spec = %{spec | start: start!(start, id)}
    if is_map_key(spec, :backoff), do: Map.update!(spec, :backoff, &Map.new/1), else: spec
  end

  def wire!(other) do
    raise ArgumentError,
          "invalid child specification #{inspect(other)}: expected a map with :id and :start"
  end

  @doc """
  The id of a child, as it is; raises `ArgumentError` for one that no child can have.

      iex> Penning.ChildSpec.id!({:web, 1})
      {:web, 1}
  """
  @spec id!(term) :: term
  def id!(id) do
    if text = problem(:id, id),
      do: raise(ArgumentError, "invalid option :id with value #{inspect(id)}: #{text}")

    id
  end

  @doc """
  The specifications of siblings: ids are unique, and what `:start_after` names is there and does
  not wait for them in turn.
  """
  @spec wire_all!(term, auto_shutdown :: atom) :: [map]
  def wire_all!(specs, auto_shutdown) when is_list(specs) do
    if List.improper?(specs), do: no_list!(specs)
    specs = Enum.map(specs, &wire!/1)
    ids = Enum.map(specs, & &1.id)

    case ids -- Enum.uniq(ids) do
      [] ->
        :ok

      [id | _] ->
        raise ArgumentError, "invalid option :id with value #{inspect(id)}: it is there twice"
    end

    Enum.each(specs, &significant!(&1, auto_shutdown))
    start_order!(specs, ids)
    specs
  end

  def wire_all!(other, _auto_shutdown), do: no_list!(other)

  defp no_list!(other),
    do: raise(ArgumentError, "invalid children #{inspect(other)}: expected a list")

  defp significant!(%{significant: true, id: id} = spec, auto_shutdown) do
    if auto_shutdown == :never,
      do: bad!(:significant, true, id, "the supervisor's :auto_shutdown is :never")

    if Map.get(spec, :restart, :permanent) == :permanent,
      do: bad!(:significant, true, id, "its :restart is :permanent")
  end

  defp significant!(_spec, _auto_shutdown), do: :ok

  defp start_order!(specs, ids) do
    for %{start_after: after_ids, id: id} <- specs,
        other <- after_ids,
        other not in ids,
        do: bad!(:start_after, after_ids, id, "there is no child #{inspect(other)}")

    acyclic!(specs)
  end

  # Takes away what waits for nobody that is left, until nothing changes.
  defp acyclic!(specs) do
    left = MapSet.new(specs, & &1.id)

    case Enum.split_with(specs, &Enum.any?(after_ids(&1), fn id -> id in left end)) do
      {[], _} ->
        :ok

      {[spec | _], []} ->
        bad!(:start_after, spec.start_after, spec.id, "it would wait for itself")

      {waiting, _} ->
        acyclic!(waiting)
    end
  end

  defp after_ids(spec), do: Map.get(spec, :start_after, [])

  defp start!({program, args, options}, id) do
    given = if Keyword.keyword?(options), do: options, else: []

    for name <- [:port, :start_timeout],
        {:ok, value} <- [Keyword.fetch(given, name)],
        do: bad!(name, value, id, "it belongs to the supervisor or to the child, not to :start")

    options = Options.new!(program, args, options)
    {:penning, :os_process, [options.program, options.args, options.wire]}
  end

  defp start!(other, id), do: bad!(:start, other, id, "expected {program, args, options}")

  defp check!({key, value}, id) when key not in @keys do
    raise ArgumentError,
          "unknown option #{inspect(key)} with value #{inspect(value)} of child #{inspect(id)}"
  end

  defp check!({key, value}, id) do
    case problem(key, value) do
      nil -> :ok
      text -> bad!(key, value, id, text)
    end
  end

  defp problem(:id, value), do: if(not id?(value), do: "it is nested deeper than #{@id_depth}")

  defp problem(:restart, value) when value not in [:permanent, :transient, :temporary],
    do: "expected :permanent, :transient or :temporary"

  defp problem(:shutdown, value) when value in [:infinity, :brutal_kill], do: nil

  defp problem(:shutdown, value),
    do: if(not ms?(value), do: "expected milliseconds, :infinity or :brutal_kill")

  defp problem(:significant, value) when not is_boolean(value), do: "expected true or false"

  defp problem(:type, value) when value != :worker,
    do: "expected :worker, as every OS process is one"

  defp problem(:modules, :dynamic), do: nil

  defp problem(:modules, value) do
    if not (list?(value) and Enum.all?(value, &is_atom/1)),
      do: "expected a list of modules, or :dynamic"
  end

  defp problem(:start_after, value) do
    cond do
      not list?(value) -> "expected a list of ids"
      not Enum.all?(value, &id?/1) -> "an id is nested deeper than #{@id_depth}"
      true -> nil
    end
  end

  defp problem(:start_timeout, :infinity), do: nil

  defp problem(:start_timeout, value),
    do: if(not ms?(value), do: "expected milliseconds, 0 to #{@max_ms}, or :infinity")

  defp problem(:backoff, value) do
    cond do
      is_map(value) -> backoff(value)
      Keyword.keyword?(value) -> backoff(Map.new(value))
      true -> "expected a keyword list or a map"
    end
  end

  defp problem(_key, _value), do: nil

  defp backoff(map) do
    initial = Map.get(map, :initial, @backoff_defaults.initial)
    Enum.find_value(map, &backoff(&1, initial)) || too_small(map, initial)
  end

  defp backoff({:initial, value}, _),
    do: if(not (ms?(value) and value > 0), do: "expected :initial from 1 ms")

  defp backoff({:max, value}, _), do: if(not ms?(value), do: "expected :max in ms")

  defp backoff({:reset_after, value}, _),
    do: if(not ms?(value), do: "expected :reset_after in ms")

  defp backoff({:factor, value}, _) when is_number(value) and value >= 1 and value <= 1.0e300,
    do: nil

  defp backoff({:factor, _}, _), do: "expected a :factor from 1 to 1.0e300"
  defp backoff({:jitter, value}, _) when is_number(value) and value >= 0 and value <= 1, do: nil
  defp backoff({:jitter, _}, _), do: "expected a :jitter from 0 to 1"
  defp backoff({key, _}, _), do: "unknown key #{inspect(key)}"

  defp too_small(map, initial) do
    if Map.get(map, :max, @backoff_defaults.max) < initial,
      do: "expected :max to be :initial or more"
  end

  defp bad!(key, value, id, text) do
    raise ArgumentError,
          "invalid option #{inspect(key)} with value #{inspect(value)} of child #{inspect(id)}: #{text}"
  end

  defp ms?(value), do: is_integer(value) and value in 0..@max_ms
  defp id?(value), do: Depth.within?(value, @id_depth)
  defp list?(value), do: is_list(value) and not List.improper?(value)
end
