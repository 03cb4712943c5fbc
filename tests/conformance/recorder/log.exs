defmodule Recorder.Log do
  @moduledoc """
  What happens while a scenario is played, in the order in which it happened: every entry has a
  number from the one counter that also stamps the trace messages of the virtual machine.

  Keeps the books of the start functions too: the processes, the calls and the plans.
  """

  @table __MODULE__

  def open do
    :ets.new(@table, [:named_table, :public, :ordered_set])
    :logger.set_primary_config(:level, :info)
    Enum.each(:logger.get_handler_ids(), &:logger.remove_handler/1)
    :ok = :logger.add_handler(:recorder, __MODULE__, %{level: :info})
    true = Process.register(spawn_link(__MODULE__, :collect, []), :recorder_log)
  end

  def clear, do: :ets.delete_all_objects(@table)

  # -- entries -----------------------------------------------------------------------------------

  def note(entry), do: note(:erlang.unique_integer([:monotonic]), entry)
  defp note(number, entry), do: :ets.insert(@table, {{:entry, number}, entry})

  @doc "All entries since the last time, oldest first."
  def take do
    entries = :ets.match(@table, {{:entry, :_}, :"$1"})
    :ets.match_delete(@table, {{:entry, :_}, :_})
    List.flatten(entries)
  end

  @doc "Changes whenever something happened."
  def size, do: :ets.info(@table, :size)

  @doc "A handler of `logger`, called inside the process that logs."
  def log(%{msg: {:report, %{label: {_, kind}, report: report}}, meta: %{pid: pid}}, _config),
    do: note_report(pid, kind, report)

  def log(
        %{msg: {_format, [message]}, meta: %{pid: pid, mfa: {:supervisor, :handle_info, 2}}},
        _
      ),
      do: note_report(pid, :unexpected_msg, %{msg: message})

  def log(_event, _config), do: :ok

  defp note_report(pid, kind, report),
    do: if(process(pid), do: note({:report, pid, kind, report}))

  # -- the ends of processes ---------------------------------------------------------------------

  def collect do
    receive do
      {:trace_ts, pid, :exit, reason, {_time, number}} ->
        note(number, {:stop, pid, reason})
        :ets.insert(@table, {{:ended, pid}, reason})

      {:sync, from} ->
        send(from, :synced)

      _ ->
        :ok
    end

    collect()
  end

  @doc "Waits until all ends so far are noted."
  def sync do
    ref = :erlang.trace_delivered(:all)
    receive(do: ({:trace_delivered, :all, ^ref} -> :ok))
    send(:recorder_log, {:sync, self()})
    receive(do: (:synced -> :ok))
  end

  @doc "The reason in a tuple, or nil."
  def ended(pid) do
    case :ets.lookup(@table, {:ended, pid}) do
      [{_, reason}] -> {reason}
      [] -> nil
    end
  end

  # -- processes ---------------------------------------------------------------------------------

  @doc "To be called before the process can end."
  def enter(pid, %{id: id} = process) do
    :ets.insert(@table, [{{:process, pid}, process}, {{:latest, id}, pid}])

    :erlang.trace(pid, true, [
      :procs,
      :strict_monotonic_timestamp,
      tracer: Process.whereis(:recorder_log)
    ])
  end

  @doc "Its start function has returned it."
  def start(pid), do: :ets.insert(@table, {{:started, pid}, true})
  def started?(pid), do: lookup({:started, pid}) == true

  def process(pid), do: lookup({:process, pid})
  def latest(id), do: lookup({:latest, id})

  def processes,
    do: for([pid, process] <- :ets.match(@table, {{:process, :"$1"}, :"$2"}), do: {pid, process})

  def live, do: for({pid, process} <- processes(), !ended(pid), do: {pid, process})

  def name(pid) do
    case process(pid) do
      nil -> "stranger"
      %{number: 0} -> "top"
      %{id: id, number: number} -> "#{id}##{number}"
    end
  end

  # -- start functions ---------------------------------------------------------------------------

  def plan(id, outcomes), do: :ets.insert(@table, {{:plan, id}, outcomes})

  @doc "The number of a call and what it shall do."
  def next_call(id) do
    number = :ets.update_counter(@table, {:calls, id}, 1, {{:calls, id}, 0})

    case lookup({:plan, id}) do
      [outcome | rest] ->
        plan(id, rest)
        {number, outcome}

      _ ->
        {number, "ok"}
    end
  end

  @doc "What the callback of a supervisor shall return when it is called again, or nil."
  def next_init(pid), do: lookup({:init, pid})
  def next_init(pid, returns), do: :ets.insert(@table, {{:init, pid}, returns})

  @doc "A child that was told to end and takes its time."
  def delay(pid), do: :ets.insert(@table, {{:delays, pid}, true})
  def delays?(pid), do: lookup({:delays, pid}) == true

  defp lookup(key) do
    case :ets.lookup(@table, key) do
      [{_, value}] -> value
      [] -> nil
    end
  end
end
