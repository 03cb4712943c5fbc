defmodule Recorder.Observation do
  @moduledoc "What can be seen after an event: a step of the recordings."

  alias Recorder.{Log, Text}

  @doc "A step with this result and all that has happened since the last one."
  def step(result) do
    entries = Log.take()
    top = Log.latest("top")
    unordered = Enum.any?(entries, &parallel?/1)
    trace = entries |> Enum.flat_map(&trace/1) |> arranged(unordered)
    reports = entries |> Enum.flat_map(&report/1) |> arranged(unordered)

    %{"result" => result, "trace" => trace, "reports" => reports}
    |> Map.merge(if top && !Log.ended(top), do: alive(top), else: dead(top))
    |> Map.merge(if unordered, do: %{"unordered" => true}, else: %{})
  end

  defp alive(top) do
    others = for {pid, %{kind: kind, number: n}} <- Log.live(), kind != :worker, n > 0, do: pid

    %{"alive" => true, "which" => which(top), "count" => count(top)}
    |> Map.merge(if others == [], do: %{}, else: %{"nested" => nested(others)})
  end

  defp dead(top) do
    orphans = for {pid, _} <- Log.live(), do: Log.name(pid)

    %{"alive" => false, "orphans" => Enum.sort(orphans)}
    |> Map.merge(if Log.started?(top), do: %{"exit" => show(elem(Log.ended(top), 0))}, else: %{})
  end

  defp which(pid) do
    entries =
      for {id, child, type, _} <- :supervisor.which_children(pid),
          do: Enum.map([id, child, type], &show/1)

    if Log.process(pid).kind == :supervisor, do: entries, else: Enum.sort(entries)
  end

  defp count(pid) do
    counts = :supervisor.count_children(pid)
    for key <- ~w(specs active supervisors workers)a, do: counts[key]
  end

  defp nested(pids), do: pids |> Enum.map(&[Log.name(&1), which(&1)]) |> Enum.sort()

  # Where children end at once, by a shutdown in parallel or by the links to a killed supervisor.
  defp parallel?({:stop, pid, reason}) do
    kind = Log.process(pid).kind

    Log.started?(pid) and
      (kind in [:simple, :elixir] or (kind == :supervisor and reason == :killed))
  end

  defp parallel?(_entry), do: false

  defp arranged(list, unordered), do: if(unordered, do: Enum.sort(list), else: list)

  # Those that failed to start had no start.
  defp trace({:stop, pid, reason}) do
    case Log.process(pid) do
      %{number: 0} ->
        []

      %{id: id, number: number} ->
        if Log.started?(pid), do: [["stop", id, number, show(reason)]], else: []
    end
  end

  defp trace({:report, _, _, _}), do: []
  defp trace({kind, id, number}), do: [[Atom.to_string(kind), id, number]]

  defp report({:report, pid, :unexpected_msg, %{msg: message}}),
    do: [["unexpected_message", supervisor(pid), "none", "none", show(message)]]

  defp report({:report, pid, _, [supervisor: _, started: child]}),
    do: [["progress", supervisor(pid), show(child[:id]), show(child[:pid]), "started"]]

  defp report(
         {:report, pid, _, [supervisor: _, errorContext: kind, reason: reason, offender: child]}
       ),
       do: [[show(kind), supervisor(pid), show(child[:id]), offender(child), show(reason)]]

  defp report(_entry), do: []

  defp offender([{:nb_children, number} | _]), do: show({:nb_children, number})
  defp offender(child), do: show(child[:pid])

  defp supervisor(pid), do: Log.process(pid).id

  defp show(term), do: Text.show(term, &Log.name/1)
end
