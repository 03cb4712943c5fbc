defmodule Recorder.Text do
  @moduledoc """
  Erlang terms as text and back. What differs from run to run is left out: a process is shown by
  its name, a stack trace or a child record not at all.
  """

  @doc "The term that a JSON value stands for: text is Erlang text."
  def parse(text) when is_binary(text) do
    with {:ok, tokens, _} <- :erl_scan.string(String.to_charlist(text <> ".")),
         {:ok, term} <- :erl_parse.parse_term(tokens) do
      term
    else
      _ -> String.to_atom(text)
    end
  end

  def parse(list) when is_list(list), do: Enum.map(list, &parse/1)

  def parse(map) when is_map(map),
    do: Map.new(map, fn {k, v} -> {String.to_atom(k), parse(v)} end)

  def parse(value), do: value

  @doc "The text of a term; `name` tells that of a process."
  def show(pid, name) when is_pid(pid), do: name.(pid)
  def show(atom, _) when is_atom(atom), do: Atom.to_string(atom)
  def show(number, _) when is_integer(number), do: Integer.to_string(number)
  def show({:sup_golden, :start, _}, _), do: "mfa"
  def show({reason, [{_, _, _, place} | _]}, name) when is_list(place), do: show(reason, name)
  def show({reason, {GenServer, :call, _}}, name), do: show(reason, name)
  def show({reason, {:gen_server, :call, _}}, name), do: show(reason, name)
  def show(record, _) when elem(record, 0) == :child and tuple_size(record) == 9, do: "child"
  def show(tuple, name) when is_tuple(tuple), do: "{#{list(Tuple.to_list(tuple), name)}}"
  def show(list, name) when is_list(list), do: "[#{list(list, name)}]"

  def show(map, name) when is_map(map) do
    "\#{#{Enum.map_join(map, ",", fn {k, v} -> "#{show(k, name)}=>#{show(v, name)}" end)}}"
  end

  defp list(list, name), do: Enum.map_join(list, ",", &show(&1, name))
end
