# Records what the supervisors of OTP and Elixir do. See README.md.
for file <-
      ~w(json text log scripted observation settling requests player) ++
        ~w(draw random_tree random_events random),
    do: Code.require_file("#{file}.exs", __DIR__)

defmodule Recorder do
  alias Recorder.{Json, Log, Player, Random}

  @limit 30_000
  @options [seed: :integer, count: :integer, group: :string, compare: :boolean, only: :string]

  def main(arguments) do
    {options, files} = OptionParser.parse!(arguments, strict: @options)
    Log.open()

    case files do
      [] -> options |> Random.scenarios() |> Enum.each(&print(record(&1), &1))
      [file] -> file |> scenarios(options[:only]) |> Enum.each(&again(&1, options[:compare]))
    end
  end

  defp scenarios(file, only) do
    all = file |> File.stream!() |> Stream.map(&Json.decode/1)
    if only, do: Stream.filter(all, &(&1["name"] == only)), else: all
  end

  defp again(scenario, true), do: scenario |> record() |> compare(scenario)
  defp again(scenario, _), do: scenario |> record() |> print(scenario)

  # What comes out differently on one processor and on many has no outcome to agree on.
  defp record(scenario) do
    case Enum.map([1, :erlang.system_info(:schedulers)], &play_on(&1, scenario)) do
      [{:ok, played}, {:ok, played}] -> {:ok, complete(scenario, played)}
      [{:ok, _}, {:ok, _}] -> {:error, :differs}
      outcomes -> Enum.find(outcomes, &match?({:error, _}, &1))
    end
  end

  defp complete(scenario, {events, expect}) do
    scenario = scenario |> put_in(["input", "events"], events) |> Map.put("expect", expect)

    if scenario["group"] in Random.groups(),
      do: Map.merge(Random.quirk(scenario), scenario),
      else: scenario
  end

  defp play_on(schedulers, scenario) do
    :erlang.system_flag(:schedulers_online, schedulers)
    task = Task.async(fn -> catch_throw(fn -> Player.play(scenario) end) end)
    outcome = Task.yield(task, @limit) || Task.shutdown(task, :brutal_kill)
    Player.end_all()
    with nil <- outcome, do: {:error, :stuck}, else: ({:ok, played} -> played)
  end

  defp catch_throw(play) do
    {:ok, play.()}
  catch
    reason -> {:error, reason}
  end

  defp print({:ok, scenario}, _), do: IO.puts(Json.encode(scenario))
  defp print({:error, reason}, %{"name" => name}), do: note("left out #{name}: #{reason}")

  defp compare({:ok, same}, same), do: :ok
  defp compare({:error, reason}, %{"name" => name}), do: note("#{name}: #{reason}")

  defp compare({:ok, got}, expected) do
    note("#{got["name"]}: differs")
    note("  expected #{Json.encode(expected)}\n  got      #{Json.encode(got)}")
  end

  defp note(text), do: IO.puts(:stderr, text)
end

Recorder.main(System.argv())
