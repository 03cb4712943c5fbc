defmodule Recorder.RandomTree do
  @moduledoc "Supervisors and children drawn at random."

  import Recorder.Draw

  @strategies ~w(one_for_one one_for_all rest_for_one)
  @restarts ~w(permanent transient temporary)
  @modes ~w(never any_significant all_significant)

  @doc "The flags and the children of the supervisor at the top."
  def tree("simple") do
    flags = Map.put(flags(1), "strategy", "simple_one_for_one")

    flags =
      if chance(5),
        do: Map.put(flags, "auto_shutdown", pick(@modes)),
        else: Map.delete(flags, "auto_shutdown")

    {flags, [template(flags)]}
  end

  def tree("dynamic") do
    flags = Map.take(flags(2), ~w(intensity period))
    flags = some(flags, 30, "max_children", pick([0, 1, 2, 3]))

    flags = some(flags, 10, "extra_arguments", pick([["ext"], [1, "two"]]))
    {if(chance(4), do: Map.merge(flags, odd_options()), else: flags), []}
  end

  def tree("nested") do
    flags = flags(2)
    workers = children(~w(a b), flags, 1..2)
    {flags, Enum.shuffle([subtree("s", ["g", "h", "i"], flags, 2) | workers])}
  end

  # Much of it is refused or fails.
  def tree("start") do
    flags = flags(2)
    tree = if chance(30), do: [subtree("s", ["g", "h", "i"], flags, 2)], else: []

    workers =
      for child <- children(~w(a b c), flags, 0..3), do: child |> maybe_odd(8) |> failing()

    tree = for s <- tree, do: some(s, 15, "sup", odd_flags(s["sup"]))
    {if(chance(25), do: odd_flags(flags), else: flags), Enum.shuffle(tree ++ workers)}
  end

  def tree(_static) do
    flags = flags(2)
    {flags, children(~w(a b c d), flags, 0..4)}
  end

  defp failing(%{"raw" => _} = child), do: child

  defp failing(child),
    do: some(child, 25, "plan", [pick(~w(error raise exit throw bad ignore ok_extra))])

  defp odd_flags(flags) do
    case Enum.random(1..7) do
      1 ->
        %{"raw" => pick(~w({one_for_one,2,5} {rest_for_one,0,1} {one_for_all,1} {x,1,1} [] none))}

      2 ->
        Map.put(flags, "strategy", pick(["none_for_one", "simple_one_for_one", 1]))

      3 ->
        Map.put(flags, "intensity", pick([-1, "infinity", "x"]))

      4 ->
        Map.put(flags, "period", pick([0, -5, "infinity"]))

      5 ->
        Map.put(flags, "auto_shutdown", pick(["sometimes", 1]))

      6 ->
        Map.put(flags, "silly", 1)

      7 ->
        Map.merge(flags, %{"intensity" => "x", "period" => 0})
    end
  end

  defp odd_options do
    pick([
      %{"intensity" => -1},
      %{"period" => 0},
      %{"max_children" => "many"},
      %{"max_children" => -1},
      %{"extra_arguments" => "ext"},
      %{"strategy" => "rest_for_one"}
    ])
  end

  @doc "A supervisor that is not there from the start."
  def addition(id, ids, outside) do
    flags = flags(1)

    %{"id" => id, "sup" => flags, "children" => children(ids, flags, 1..2)}
    |> Map.put("type", "supervisor")
    |> some(85, "restart", pick(@restarts))
    |> significant(outside)
  end

  defp subtree(id, ids, outside, depth) do
    flags = flags(1)

    below =
      cond do
        chance(15) and depth < 2 -> []
        depth > 1 and chance(60) -> [subtree("t", ["k", "l", "m"], flags, depth - 1)]
        true -> []
      end

    {flags, children} =
      if below == [] and chance(25) do
        flags = flags |> Map.delete("auto_shutdown") |> Map.put("strategy", "simple_one_for_one")
        {flags, [template(flags) |> Map.put("id", "w")]}
      else
        {flags, Enum.shuffle(below ++ children(ids, flags, 1..3))}
      end

    %{"id" => id, "sup" => flags, "children" => children, "type" => "supervisor"}
    |> some(85, "restart", pick(@restarts))
    |> some(20, "shutdown", pick(["brutal_kill", "brutal_kill", "infinity", 5000, 10]))
    |> significant(outside)
  end

  # The flags of a supervisor that lives the longer the higher `calm` is.
  def flags(calm) do
    intensity = Enum.max(for _ <- 1..calm, do: pick([0, 1, 2, 3, 4, 6]))

    %{"strategy" => pick(@strategies), "intensity" => intensity, "period" => 3600}
    |> some(40, "auto_shutdown", pick(@modes))
  end

  defp template(flags), do: "t" |> child(flags) |> Map.drop(~w(plan named))

  defp children(ids, flags, range) do
    for id <- Enum.take(ids, Enum.random(range)), do: child(id, flags)
  end

  def child(id, flags) do
    %{"id" => id}
    |> some(70, "restart", pick(@restarts))
    |> Map.merge(manner())
    |> some(4, "plan", [pick(~w(ok ok_extra ignore throw_ok error))])
    |> some(4, "type", "supervisor")
    |> some(3, "modules", pick(["dynamic", ["m"], []]))
    |> significant(flags)
  end

  defp significant(child, flags) do
    mode = Map.get(flags, "auto_shutdown", "never")

    if mode != "never" and child["restart"] in ~w(transient temporary),
      do: some(child, 60, "significant", true),
      else: child
  end

  # Only pairs where time decides clearly: nothing ends just when its time is up.
  def manner do
    case weighted(normal: 50, ignore: 10, notrap: 12, exits: 16, quick: 3, slow: 4, unlink: 4) do
      :normal ->
        some(%{}, 20, "shutdown", pick(["brutal_kill", "infinity", 5000, 1000]))

      :ignore ->
        %{"on_shutdown" => "ignore", "shutdown" => pick([0, 10, 20, "brutal_kill"])}

      :notrap ->
        some(
          %{"on_shutdown" => "notrap"},
          20,
          "shutdown",
          pick(["brutal_kill", "infinity", 1000])
        )

      :exits ->
        some(
          %{"on_shutdown" => pick(~w(exit_normal exit_shutdown_term exit_crash))},
          15,
          "shutdown",
          pick(["brutal_kill", "infinity"])
        )

      :quick ->
        %{"on_shutdown" => "{delay,5}", "shutdown" => pick([1000, "infinity", "brutal_kill"])}

      :slow ->
        %{"on_shutdown" => "{delay,30}", "shutdown" => pick([1000, "infinity", 0, 5])}

      :unlink ->
        some(%{"on_shutdown" => "unlink"}, 30, "shutdown", pick(["brutal_kill", "infinity"]))
    end
  end

  # Of a child that is to be refused, more often than not.
  def odd(child) do
    case pick(~w(raw omit override override override)) do
      "raw" ->
        %{
          "raw" =>
            pick([
              "hej",
              "{a,b}",
              "[]",
              "{a,mfa,permanent,1000,worker,[]}",
              "{a,{m,f,[]},x,1000,worker,[]}",
              7
            ])
        }

      "omit" ->
        Map.put(child, "omit", Enum.take_random(~w(id start), Enum.random(1..2)))

      "override" ->
        Map.put(child, "override", Map.new(Enum.take_random(overrides(), Enum.random(1..3))))
    end
  end

  # Elixir's accepts `significant` or raises where it knows no answer to a type: neither is drawn.
  def refused(child) do
    known =
      for {key, _} = each <- overrides(),
          key in ~w(start restart shutdown modules silly),
          do: each

    case pick(~w(raw omit override override override)) do
      "raw" ->
        %{"raw" => pick(["{a,mfa,permanent,1000,worker,[]}", "{a,{m,f,[]},x,0,worker,[1]}"])}

      "omit" ->
        Map.put(child, "omit", Enum.take_random(~w(id start), 1))

      "override" ->
        Map.put(child, "override", Map.new(Enum.take_random(known, Enum.random(1..3))))
    end
  end

  defp overrides do
    [
      {"start", pick(["mfa", "{m,f}", "{m,f,a}", "{1,f,[]}"])},
      {"restart", pick(["x", "prmanent", 1])},
      {"shutdown", pick([-1, "forever", "{a}"])},
      {"type", pick(["x", "wrker", 3])},
      {"modules", pick(["dynamic", "x", [1, 2], ["m", 1], ["m"], []])},
      {"significant", pick([true, "perhaps", 0])},
      {"silly", true}
    ]
  end

  def maybe_odd(child, percent), do: if(chance(percent), do: odd(child), else: child)
end
