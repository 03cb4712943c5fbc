defmodule Recorder.RandomEvents do
  @moduledoc "Events drawn at random, about the children of a tree and some it does not have."

  import Recorder.Draw
  import Recorder.RandomTree

  @modes ~w(never any_significant all_significant)

  # `places` are the supervisors with the ids below each and its flags.
  defp world("simple", children, flags),
    do: %{group: "simple", places: [{"top", :simple, ~w(x1 x2 x3), of_template(flags, children)}]}

  defp world("dynamic", _children, flags),
    do: %{group: "dynamic", places: [{"top", :elixir, ~w(a b c d), flags}]}

  defp world("nested", children, flags) do
    [top | below] = places("top", children, flags)
    %{group: "nested", places: [top, {"u", :supervisor, ~w(n o), %{}} | below]}
  end

  defp world(group, children, flags), do: %{group: group, places: places("top", children, flags)}

  defp places(id, children, flags) do
    own =
      if flags["strategy"] == "simple_one_for_one",
        do: {id, :simple, ~w(w1 w2), of_template(flags, children)},
        else: {id, :supervisor, for(%{"id" => id} <- children, do: id) ++ spare(id), flags}

    [own | Enum.flat_map(children, &places_below/1)]
  end

  # With the restart type of the children.
  defp of_template(flags, [%{"restart" => restart}]), do: Map.put(flags, "restart", restart)
  defp of_template(flags, _children), do: flags

  defp places_below(%{"sup" => flags, "id" => id, "children" => children}),
    do: places(id, children, flags)

  defp places_below(_child), do: []

  defp spare("top"), do: ~w(u y z)
  defp spare(id), do: [id <> "9"]

  @doc "The events of a scenario of the group, about this tree."
  def events(group, {flags, children}), do: events_in(group, world(group, children, flags))

  defp events_in(group, world),
    do: head(group) ++ Enum.map(1..Enum.random(4..12), fn _ -> event(world) end)

  # Those that begin without children start a few.
  defp head("simple"),
    do: for(n <- 1..Enum.random(1..3), do: %{"op" => "start_child", "args" => ["x#{n}"]})

  defp head("dynamic"),
    do:
      for(
        id <- Enum.take(~w(a b c), Enum.random(1..3)),
        do: %{"op" => "start_child", "spec" => elixir_child(id)}
      )

  defp head("nested"),
    do:
      if(chance(30),
        do: [%{"op" => "start_child", "spec" => addition("u", ~w(n o), %{})}],
        else: []
      )

  defp head(_group), do: []

  defp event(world) do
    if chance(18), do: batch(world), else: event(pick(world.places), rare(world.group))
  end

  # All about what is below the one that is held, or it itself; mostly about few of its children,
  # of which one often fails to come back.
  defp batch(world) do
    {id, kind, ids, flags} = pick(world.places)
    few = if chance(60), do: Enum.take_random(ids, Enum.random(1..2)), else: ids
    place = {id, kind, few, flags}
    others = below(world.places, id)

    draw = fn _ ->
      event(if(chance(80), do: place, else: pick(others)), message: 1, stranger: 1)
    end

    events = trouble(place) ++ Enum.map(1..Enum.random(1..5), draw)
    %{"op" => "batch", "events" => events} |> within(id)
  end

  defp trouble({place, kind, ids, _flags}) do
    id = pick(ids)
    plan = %{"op" => "set_plan", "id" => id, "plan" => ["error" | plan(kind)]}
    exit = %{"op" => "exit", "id" => id, "reason" => "crash"}

    cond do
      chance(30) -> [living(plan, place), exit]
      chance(40) -> [exit]
      true -> []
    end
  end

  # Places are listed depth first and there is one branch, besides the one that may be added.
  defp below(places, "u"), do: Enum.filter(places, &(elem(&1, 0) == "u"))
  defp below(places, id), do: Enum.drop_while(places, &(elem(&1, 0) != id))

  defp rare("codechange"), do: [code_change: 40, check: 1, message: 1, stranger: 1, die: 1]
  defp rare("dynamic"), do: [message: 2, stranger: 2, die: 2]
  defp rare(_group), do: [code_change: 2, check: 3, message: 2, stranger: 2, die: 3]

  defp event({id, kind, ids, flags}, rare) do
    op =
      weighted(
        [exit: 28, kill: 8, signal: 5, start: 14, terminate: 8, restart: 8, delete: 5] ++
          [which: 3, count: 3, spec: 2, plan: 12] ++ rare
      )

    case op do
      :die when id != "top" -> event({id, kind, ids, flags}, [])
      :plan -> op |> event(kind, pick(ids), ids, flags) |> living(id)
      _ -> op |> event(kind, pick(ids), ids, flags) |> within(id)
    end
  end

  defp within(event, "top"), do: event

  defp within(%{"op" => op} = event, id)
       when op not in ~w(exit kill signal set_plan check_childspecs),
       do: Map.put(event, "in", id)

  defp within(event, _id), do: event

  # The reason `kill` cannot come from the parent of a supervisor: that is a signal of its own.
  defp event(:exit, _, id, _, _),
    do: %{
      "op" => "exit",
      "id" => id,
      "reason" => if(supervisor?(id), do: pick(~w(crash normal shutdown killed)), else: reason())
    }

  defp event(:kill, _, id, _, _), do: %{"op" => "kill", "id" => id}

  defp event(:signal, _, id, _, _),
    do: %{
      "op" => "signal",
      "id" => id,
      "reason" => pick(~w(normal shutdown crash kill {shutdown,bye}))
    }

  defp event(:plan, kind, id, _, _), do: %{"op" => "set_plan", "id" => id, "plan" => plan(kind)}
  defp event(:which, _, _, _, _), do: %{"op" => "which_children"}
  defp event(:count, _, _, _, _), do: %{"op" => "count_children"}
  defp event(:message, _, _, _, _), do: %{"op" => "message"}

  defp event(:stranger, _, _, _, _),
    do: %{"op" => "stranger_exit", "reason" => pick(~w(normal shutdown crash killed))}

  defp event(:start, :simple, id, _, _), do: %{"op" => "start_child", "args" => [id]}

  defp event(:start, :elixir, id, _, _) do
    child = elixir_child(id)
    %{"op" => "start_child", "spec" => if(chance(10), do: refused(child), else: child)}
  end

  defp event(:start, _, "u", _, flags),
    do: %{"op" => "start_child", "spec" => addition("u", ~w(n o), flags)}

  defp event(:start, _, id, _, flags) do
    child = id |> child(flags) |> some(2, "named", "recorded") |> some(4, "significant", true)
    %{"op" => "start_child", "spec" => if(chance(15), do: odd(child), else: child)}
  end

  defp event(:terminate, kind, id, _, _) when kind != :elixir,
    do: some(%{"op" => "terminate_child", "id" => unknown(id)}, 10, "by", pick(~w(id stranger)))

  defp event(:terminate, :elixir, id, _, _),
    do: some(%{"op" => "terminate_child", "id" => id}, 10, "by", "stranger")

  defp event(:restart, kind, id, _, _) when kind != :elixir,
    do: %{"op" => "restart_child", "id" => unknown(id)}

  defp event(:delete, kind, id, _, _) when kind != :elixir,
    do: %{"op" => "delete_child", "id" => unknown(id)}

  defp event(:spec, kind, id, _, _) when kind != :elixir,
    do: %{"op" => "get_childspec", "id" => if(kind == :simple, do: "t", else: unknown(id))}

  defp event(:check, _, _, ids, flags) do
    children =
      for id <- Enum.take_random(ids ++ ids, Enum.random(0..3)),
          do: maybe_odd(child(id, flags), 30)

    some(
      %{"op" => "check_childspecs", "children" => children},
      60,
      "auto_shutdown",
      pick(["bogus" | @modes])
    )
  end

  defp event(:die, kind, _, _, _) do
    case pick(~w(parent_exit stop kill_sup)) do
      "kill_sup" -> %{"op" => "kill_sup"}
      "stop" when kind == :elixir -> %{"op" => "parent_exit", "reason" => "crash"}
      op -> %{"op" => op, "reason" => pick(~w(normal shutdown crash {shutdown,x}))}
    end
  end

  defp event(:code_change, kind, _, ids, flags) do
    case weighted(good: 80, return: 8, flags: 5, specs: 7) do
      :good ->
        Map.put(changed(kind, ids, flags), "op", "code_change")

      :return ->
        %{"op" => "code_change", "return" => pick(~w(ignore faulty {error,no}))}

      :flags ->
        %{
          "op" => "code_change",
          "sup" => pick([%{"raw" => "faulty"}, %{"intensity" => "x"}, %{"strategy" => "s"}]),
          "children" => []
        }

      :specs ->
        kind
        |> changed(ids, flags)
        |> Map.put("op", "code_change")
        |> Map.update!("children", &[odd(%{"id" => "z"}) | &1])
    end
  end

  # What an operation that Elixir's does not have is replaced with.
  defp event(_, :elixir, id, _, _), do: %{"op" => "exit", "id" => id, "reason" => reason()}

  # Elixir's refuses a shutdown of 0.
  defp elixir_child(id) do
    child = child(id, %{})
    if child["shutdown"] == 0 and chance(90), do: %{child | "shutdown" => 5}, else: child
  end

  # The restart type of a template stays: its instances were stored as it demands.
  defp changed(:simple, _ids, flags) do
    {restart, flags} = Map.split(flags, ["restart"])
    child = %{"id" => "t"} |> Map.merge(manner()) |> Map.merge(restart) |> hasty()
    %{"sup" => %{flags | "intensity" => pick([0, 2, 5])}, "children" => [child]}
  end

  defp changed(_kind, ids, _flags) do
    flags = flags(2)

    children =
      for id <- Enum.take_random(ids, Enum.random(0..length(ids))),
          do: id |> child(flags) |> hasty()

    %{"sup" => flags, "children" => children}
  end

  # The process that is there may be one that ignores every signal.
  defp hasty(child), do: Map.put(child, "shutdown", pick([15, 15, "brutal_kill"]))

  defp reason do
    pick(
      ~w(crash crash crash crash crash normal normal shutdown {shutdown,bye}) ++
        ~w(killed kill noproc {shutdown,x,y})
    )
  end

  @outcomes ~w(error error error raise exit throw bad ok ok_extra throw_ok) ++
              ~w({dead,crash} {dead,normal})

  # An ignored restart of a simple_one_for_one child is a bug of this OTP: rare.
  defp plan(kind) do
    ignore = if kind == :simple, do: 2, else: 8
    for _ <- 1..Enum.random(1..4), do: if(chance(ignore), do: "ignore", else: pick(@outcomes))
  end

  # A supervisor cannot be dead at once; one whose child is sees to that while its own start is
  # being reported.
  defp living(%{"id" => id, "plan" => plan} = event, place) do
    if place != "top" or supervisor?(id),
      do: %{event | "plan" => Enum.reject(plan, &String.starts_with?(&1, "{dead"))},
      else: event
  end

  # Children of a tree have these ids only as supervisors.
  defp supervisor?(id), do: id in ~w(s t u)

  defp unknown(id), do: if(chance(4), do: "nope", else: id)
end
