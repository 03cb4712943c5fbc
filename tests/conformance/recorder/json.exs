defmodule Recorder.Json do
  @moduledoc """
  As much JSON as the recordings need: objects are maps with string keys, `nil` has no text. There
  is no library for it in OTP 25.
  """

  # The order of the keys in the recordings; all others follow in alphabetical order.
  @order ~w(name kind group note quirk input expect start steps op id sup children events) ++
           ~w(strategy result trace which count alive exit orphans nested reports unordered)
  @ranks @order |> Enum.with_index() |> Map.new()

  def decode(text) do
    {value, rest} = value(skip(text))
    "" = skip(rest)
    value
  end

  defp value("{" <> rest), do: members(skip(rest), %{})
  defp value("[" <> rest), do: elements(skip(rest), [])
  defp value("\"" <> rest), do: string(rest, [])
  defp value("true" <> rest), do: {true, rest}
  defp value("false" <> rest), do: {false, rest}
  defp value(text), do: Integer.parse(text)

  defp members("}" <> rest, read), do: {read, rest}
  defp members("," <> rest, read), do: members(skip(rest), read)

  defp members("\"" <> rest, read) do
    {key, rest} = string(rest, [])
    ":" <> rest = skip(rest)
    {value, rest} = value(skip(rest))
    members(skip(rest), Map.put(read, key, value))
  end

  defp elements("]" <> rest, read), do: {Enum.reverse(read), rest}
  defp elements("," <> rest, read), do: elements(skip(rest), read)

  defp elements(text, read) do
    {value, rest} = value(text)
    elements(skip(rest), [value | read])
  end

  defp string("\"" <> rest, read), do: {read |> Enum.reverse() |> List.to_string(), rest}

  defp string(<<"\\", char, rest::binary>>, read) when char in '"\\/',
    do: string(rest, [char | read])

  defp string(<<char::utf8, rest::binary>>, read) when char != ?\\,
    do: string(rest, [char | read])

  defp skip(<<char, rest::binary>>) when char in ' \t\r\n', do: skip(rest)
  defp skip(text), do: text

  def encode(map) when is_map(map) do
    members = for {key, value} <- Enum.sort_by(map, &rank/1), do: [encode(key), ?:, encode(value)]
    [?{, Enum.intersperse(members, ?,), ?}]
  end

  def encode(list) when is_list(list),
    do: [?[, list |> Enum.map(&encode/1) |> Enum.intersperse(?,), ?]]

  def encode(value) when is_boolean(value) or is_integer(value), do: to_string(value)

  def encode(text) when is_binary(text),
    do: [?", String.replace(text, ["\\", "\""], &("\\" <> &1)), ?"]

  defp rank({key, _value}), do: {Map.get(@ranks, key, length(@order)), key}
end
