# Named as in the recordings, which show it as the module of every child.
defmodule :sup_golden do
  @moduledoc "The callback module of all supervisors and the start function of all children."

  alias Recorder.{Log, Text}

  # -- specifications ----------------------------------------------------------------------------

  def spec(%{"raw" => raw}), do: Text.parse(raw)

  def spec(child) do
    id = Text.parse(child["id"])

    %{id: id, start: {:sup_golden, :start, [{:script, child}]}}
    |> Map.merge(Text.parse(Map.take(child, ~w(restart shutdown significant type modules))))
    |> Map.merge(Text.parse(Map.get(child, "override", %{})))
    |> Map.drop(Enum.map(Map.get(child, "omit", []), &String.to_atom/1))
  end

  def specs(children), do: Enum.map(children, &spec/1)

  @doc "Of these children and of those below them."
  def set_plans(children) do
    for child <- children do
      if plan = child["plan"], do: Log.plan(child["id"], plan)
      set_plans(Map.get(child, "children", []))
    end
  end

  def flags(%{"raw" => raw}), do: Text.parse(raw)
  def flags(flags), do: Text.parse(flags)

  # -- supervisors -------------------------------------------------------------------------------

  @doc "`number` is 0 for the one at the top."
  def start_supervisor(id, number, flags, specs),
    do: :supervisor.start_link(:sup_golden, {id, number, flags, specs})

  def start_dynamic(id, flags),
    do: DynamicSupervisor.start_link(:sup_golden, {id, 0, flags, :elixir})

  def init({id, number, flags, specs}) do
    Log.next_init(self()) || first_init(id, number, flags, specs)
  end

  defp first_init(id, number, flags, specs) do
    kind = if specs == :elixir, do: :elixir, else: kind(flags)

    Log.enter(self(), %{
      id: id,
      number: number,
      kind: kind,
      parent: hd(Process.get(:"$ancestors"))
    })

    if specs == :elixir, do: {:ok, Map.merge(defaults(), flags)}, else: {:ok, {flags, specs}}
  end

  defp kind(%{strategy: :simple_one_for_one}), do: :simple
  defp kind({:simple_one_for_one, _, _}), do: :simple
  defp kind(_flags), do: :supervisor

  defp defaults, do: [strategy: :one_for_one] |> DynamicSupervisor.init() |> elem(1)

  # -- the start function ------------------------------------------------------------------------

  def start(a), do: call([a])
  def start(a, b), do: call([a, b])
  def start(a, b, c), do: call([a, b, c])

  # A DynamicSupervisor's extra arguments come first; the id of an instance comes last.
  defp call(arguments) do
    [{:script, child} | own] = Enum.drop_while(arguments, &(not match?({:script, _}, &1)))
    id = if own == [], do: child["id"], else: Text.show(hd(own), &Log.name/1)
    {number, outcome} = Log.next_call(id)
    outcome(outcome, %{id: id, number: number, child: child})
  end

  defp outcome("ok", who), do: run(who)
  defp outcome("ok_extra", who), do: with({:ok, pid} <- run(who), do: {:ok, pid, :info})
  defp outcome("throw_ok", who), do: throw(run(who))

  defp outcome("ignore", who),
    do:
      (
        note(:start_ignore, who)
        :ignore
      )

  defp outcome("error", who),
    do:
      (
        note(:start_error, who)
        {:error, :boom}
      )

  defp outcome("raise", who),
    do:
      (
        note(:start_error, who)
        :erlang.error(:boom)
      )

  defp outcome("exit", who),
    do:
      (
        note(:start_error, who)
        exit(:boom)
      )

  defp outcome("throw", who),
    do:
      (
        note(:start_error, who)
        throw(:oops)
      )

  defp outcome("bad", who),
    do:
      (
        note(:start_error, who)
        :garbage
      )

  defp outcome("{dead," <> _ = text, who) do
    {:dead, reason} = Text.parse(text)
    {:ok, pid} = run(who)
    send(pid, {:end, reason})
    await_exit(pid, who.child["on_shutdown"])
    {:ok, pid}
  end

  # Until its exit has been received, which then is behind all that was received before.
  defp await_exit(pid, "unlink") do
    ref = Process.monitor(pid)
    receive(do: ({:DOWN, ^ref, _, _, _} -> :ok))
  end

  defp await_exit(pid, _), do: receive(do: ({:EXIT, ^pid, _} = exit -> send(self(), exit)))

  defp run(%{child: %{"sup" => flags} = child} = who) do
    noted(start_supervisor(who.id, who.number, flags(flags), specs(child["children"])), who)
  end

  defp run(who) do
    reaction = Map.get(who.child, "on_shutdown", "obey")
    parent = self()
    pid = spawn_link(fn -> receive(do: (:go -> enter(parent, reaction, who.child["named"]))) end)
    Log.enter(pid, %{id: who.id, number: who.number, kind: :worker, parent: parent})
    send(pid, :go)
    noted(receive(do: ({^pid, result} -> result)), who)
  end

  defp noted({:ok, pid}, who) do
    Log.start(pid)
    note(:start, who)
    {:ok, pid}
  end

  defp noted(other, who),
    do:
      (
        note(:start_error, who)
        other
      )

  defp note(kind, who), do: Log.note({kind, who.id, who.number})

  # -- a child -----------------------------------------------------------------------------------

  defp enter(parent, reaction, name) do
    case name && Process.whereis(String.to_atom(name)) do
      nil -> settle_in(parent, reaction, name)
      owner -> leave(parent, {:error, {:already_started, owner}})
    end
  end

  defp settle_in(parent, reaction, name) do
    if name, do: Process.register(self(), String.to_atom(name))
    Process.flag(:trap_exit, reaction != "notrap")
    if reaction == "unlink", do: Process.unlink(parent)
    send(parent, {self(), {:ok, self()}})
    live(reaction)
  end

  # Leaves no exit in the mailbox of the supervisor.
  defp leave(parent, result) do
    Process.unlink(parent)
    send(parent, {self(), result})
  end

  defp live(reaction) do
    receive do
      {:end, reason} -> exit(reason)
      {:ping, from} -> send(from, {:pong, self()})
      {:EXIT, _, reason} -> react(reaction, reason)
    end

    live(reaction)
  end

  defp react("ignore", _), do: :ok
  defp react("exit_normal", _), do: exit(:normal)
  defp react("exit_shutdown_term", _), do: exit({:shutdown, :late})
  defp react("exit_crash", _), do: exit(:crash_in_terminate)

  defp react("{delay," <> _ = text, reason) do
    {:delay, time} = Text.parse(text)
    Log.delay(self())
    # What the scenario asks for: a child that takes its time to end.
    Process.sleep(time)
    exit(reason)
  end

  defp react(_obey, reason), do: exit(reason)
end
