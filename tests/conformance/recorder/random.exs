defmodule Recorder.Random do
  @moduledoc """
  Scenarios drawn at random: the same ones for the same group and seed. Each draws from the ids of
  its own tree, so most events find something to act on, and some do not.
  """

  alias Recorder.{RandomEvents, RandomTree}

  @groups ~w(start static nested simple dynamic codechange)

  def groups, do: @groups

  @doc "Of the options `seed`, `count` and `group`, by default of every group."
  def scenarios(options) do
    {seed, count} = {Keyword.get(options, :seed, 1), Keyword.get(options, :count, 10)}
    groups = if options[:group], do: [options[:group]], else: @groups
    for group <- groups, number <- 1..count//1, do: scenario(group, seed, number)
  end

  defp scenario(group, seed, number) do
    :rand.seed(:exsss, {:erlang.phash2(group), seed, number})
    {flags, children} = tree = RandomTree.tree(group)

    %{
      "name" => Enum.join([group, seed, String.pad_leading("#{number}", 4, "0")], "_"),
      "kind" => if(group == "dynamic", do: "elixir_dynamic_supervisor", else: "otp_supervisor"),
      "group" => group,
      "input" => %{
        "sup" => flags,
        "children" => children,
        "events" => RandomEvents.events(group, tree)
      }
    }
  end

  @doc "The mark of a scenario that shows what only this version of OTP does."
  def quirk(%{"input" => %{"sup" => flags}, "expect" => %{"steps" => steps}}) do
    simple? = flags["strategy"] == "simple_one_for_one"

    cond do
      Enum.any?(steps, &ignored_again?/1) ->
        %{"quirk" => "OTP<=27: a simple_one_for_one restart that is ignored is kept as undefined"}

      simple? and Enum.any?(steps, &miscounted?/1) ->
        %{"quirk" => "OTP 25-27: one that was restarting when terminated still counts as such"}

      Enum.any?(steps, &found_specs?/1) ->
        %{
          "quirk" =>
            "a code change to a wrong number of good templates is refused with {ok,Specs}"
        }

      true ->
        %{}
    end
  end

  defp found_specs?(%{"result" => "{error,{error,{ok," <> _}), do: true
  defp found_specs?(_step), do: false

  # Only children of a simple_one_for_one supervisor have such names: x1, w2.
  defp ignored_again?(%{"trace" => trace}) do
    ignored = for ["start_ignore", id, _] <- trace, String.first(id) in ~w(x w), do: id
    Enum.any?(ignored, fn id -> Enum.any?(trace, &match?(["stop", ^id, _, _], &1)) end)
  end

  defp miscounted?(%{"which" => which, "count" => [_, active, _, _]}),
    do: active != Enum.count(which, fn [_, pid, _] -> pid != "undefined" end)

  defp miscounted?(_step), do: false
end
