defmodule Penning.Telemetry do
  @moduledoc """
  Events for metrics: what is started, how it ends, and what it has used.

      Penning.Telemetry.attach(:my_metrics, [:penning, :process, :exit], &MyMetrics.handle/4, nil)

  A handler is called with an event, its measurements, its metadata and the last argument of
  `attach/4`, in the process in which it happens: let it be quick. One that fails is detached, and that
  is logged. The words and the shapes are those of the library `telemetry`: where that is loaded, each
  event goes to `:telemetry.execute/3` as well, and its handlers need not be attached here.

  | event | when | measurements | metadata |
  |---|---|---|---|
  | `[:penning, :port, :start]` | a port program has greeted | `:duration` since it was started | `:port`, the pid of its `Penning.Port`; `:executable`, `:os_pid`, `:version`, `:containment` |
  | `[:penning, :port, :stop]` | it has ended, or was closed | `:duration` since then | the same, and `:reason` |
  | `[:penning, :process, :start]` | an OS process is up | `:duration` since it was asked for | `:pid`, of the process that stands for it; `:os_pid`; `:program`, `nil` of one that was adopted; `:args` |
  | `[:penning, :process, :start_error]` | it could not be started | the same | `:pid`, `:program`, `:args`, `:reason` |
  | `[:penning, :process, :exit]` | all that it was is gone | `:duration` since it was up; `:stdin_bytes` that it has taken, or will never take; `:stdout_bytes`, `:stderr_bytes`, of lines without what ends them; `:user`, `:system` (microseconds), `:max_rss` (KiB) if they are known | those of `:start`, `:reason`, and `:how` as in `{:exited, os_pid, how, usage}`, `nil` if it is not known |

  Durations are in native units, see `System.convert_time_unit/3`. Each OS process of `Penning.open/3`,
  `Penning.start_link/5` and all that is made of them has one `:start` or `:start_error`, and one
  `:exit` after a `:start`, unless the process that stands for it is killed. The children of a
  `Penning.Supervisor` live in the port program and have none.

  What is attached stays so until it is detached, or the application `:penning` stops, which must have
  been started. Without a handler an event costs a look at an ETS table.
  """

  require Logger

  @events [
    [:penning, :port, :start],
    [:penning, :port, :stop],
    [:penning, :process, :start],
    [:penning, :process, :start_error],
    [:penning, :process, :exit]
  ]

  # A bag of {event, {id, handler, config}}, in the order in which they were attached, and of {{:id, id}}.
  @table __MODULE__

  @type event :: [atom, ...]
  @type measurements :: %{atom => number}
  @type metadata :: %{atom => term}

  @typedoc "A function, or a module and the name of one, of four arguments."
  @type handler :: (event, measurements, metadata, config :: term -> term) | {module, atom}

  @doc false
  # The application's, which owns the table.
  @spec new() :: :ok
  def new do
    @table = :ets.new(@table, [:named_table, :public, :bag, read_concurrency: true])
    :ok
  end

  @doc "The events that there are."
  @spec events() :: [event]
  def events, do: @events

  @doc """
  Calls `handler` at an event, or at each of a list of them, until it is detached.

  `id` is any term, by which it is detached. Raises `ArgumentError` for an event that there is not,
  and for what is no handler.

      iex> Penning.Telemetry.attach(:doctest, Penning.Telemetry.events(), {IO, :inspect}, nil)
      :ok
      iex> Penning.Telemetry.attach(:doctest, [:penning, :port, :stop], {IO, :inspect}, nil)
      {:error, :already_exists}
      iex> Penning.Telemetry.detach(:doctest)
      :ok
      iex> Penning.Telemetry.detach(:doctest)
      {:error, :not_found}
  """
  @spec attach(term, event | [event], handler, term) :: :ok | {:error, :already_exists}
  def attach(id, event_or_events, handler, config) do
    events = if event_or_events in @events, do: [event_or_events], else: event_or_events
    Enum.each(List.wrap(events), &check_event!/1)
    check_handler!(handler)
    entries = for event <- List.wrap(events), do: {event, {id, handler, config}}

    if :ets.insert_new(@table, {{:id, id}}) do
      :ets.insert(@table, entries)
      :ok
    else
      {:error, :already_exists}
    end
  end

  @doc "Calls it no more."
  @spec detach(term) :: :ok | {:error, :not_found}
  def detach(id) do
    if :ets.take(@table, {:id, id}) == [] do
      {:error, :not_found}
    else
      for event <- @events,
          {_, {^id, _, _}} = entry <- :ets.lookup(@table, event),
          do: :ets.delete_object(@table, entry)

      :ok
    end
  end

  @doc """
  Something has happened. `about` makes the measurements and the metadata; it is called only if
  somebody wants to know.
  """
  @spec execute(event, (() -> {measurements, metadata})) :: :ok
  def execute(event, about) do
    handlers = handlers(event)
    telemetry? = function_exported?(:telemetry, :execute, 3)
    if handlers != [] or telemetry?, do: tell(event, about.(), handlers, telemetry?)
    :ok
  end

  defp tell(event, {measurements, metadata}, handlers, telemetry?) do
    Enum.each(handlers, &call(&1, event, measurements, metadata))
    if telemetry?, do: apply(:telemetry, :execute, [event, measurements, metadata])
  end

  defp call({id, handler, config}, event, measurements, metadata) do
    case handler do
      {module, name} -> apply(module, name, [event, measurements, metadata, config])
      fun -> fun.(event, measurements, metadata, config)
    end
  catch
    kind, reason ->
      detach(id)

      Logger.error(
        "Penning: the handler #{inspect(id)} of #{inspect(event)} has failed and is detached\n" <>
          Exception.format(kind, reason, __STACKTRACE__)
      )
  end

  defp check_event!(event) do
    if event not in @events,
      do:
        raise(ArgumentError, "invalid event #{inspect(event)}: it is none of #{inspect(@events)}")
  end

  defp check_handler!(fun) when is_function(fun, 4), do: :ok
  defp check_handler!({module, name}) when is_atom(module) and is_atom(name), do: :ok

  defp check_handler!(other),
    do:
      raise(
        ArgumentError,
        "invalid handler #{inspect(other)}: expected a function of 4 arguments or {module, function}"
      )

  # None without the application: there is nothing attached.
  defp handlers(event) do
    if :ets.whereis(@table) == :undefined,
      do: [],
      else: for({_, handler} <- :ets.lookup(@table, event), do: handler)
  end
end
