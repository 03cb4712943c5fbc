defmodule Penning.Lines do
  @moduledoc """
  Whole lines of a stream of bytes. Pure.

      iex> alias Penning.Lines
      iex> {lines, rest} = Lines.split("", "one\\ntwo\\r\\nthr")
      iex> {lines, rest}
      {["one", "two"], "thr"}
      iex> Lines.split(rest, "ee\\n")
      {["three"], ""}
  """

  # A line that does not end is cut here.
  @longest 65_536

  @doc "The lines that end in `bytes`, and what is left of the last one, after `rest` of before."
  @spec split(binary, binary) :: {[binary], binary}
  def split(rest, bytes) do
    {lines, [last]} = (rest <> bytes) |> String.split("\n") |> Enum.split(-1)
    lines = Enum.map(lines, &String.trim_trailing(&1, "\r"))
    if byte_size(last) >= @longest, do: {lines ++ [last], ""}, else: {lines, last}
  end
end
