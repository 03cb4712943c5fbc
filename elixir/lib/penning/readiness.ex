defmodule Penning.Readiness do
  @moduledoc """
  When an OS process counts as started: once a check has passed. Pure.

  | check | passes once |
  |---|---|
  | `{:stdout, text}` | it has written a line with this text to stdout |
  | `{:tcp, host, port}` | this TCP port accepts a connection; a numeric address, or `"localhost"` |
  | `{:unix, path}` | this unix stream socket does; with a leading `@` an abstract one |
  | `{:file, path}` | this file is there |
  | `{:command, program, args}` | this command exits with status 0 |

  Relative paths count from the process's `:cd`. To try it at another interval than every 100 ms:
  `[check: check, interval: milliseconds]`, or a map with these keys.
  """

  @max_ms 4_294_967_295
  @socket_bytes 107

  @typedoc "See the table."
  @type check ::
          {:stdout, binary}
          | {:tcp, binary, 1..65_535}
          | {:unix, binary}
          | {:file, binary}
          | {:command, binary, [binary]}

  @type t :: check | [check: check, interval: pos_integer] | %{check: check}

  @doc """
  The term for the port program, or what is wrong with this one.

      iex> Penning.Readiness.wire({:tcp, "127.0.0.1", 7777})
      {:ok, {:tcp, "127.0.0.1", 7777}}
      iex> Penning.Readiness.wire(check: {:file, "up"}, interval: 50)
      {:ok, %{check: {:file, "up"}, interval: 50}}
      iex> Penning.Readiness.wire({:tcp, "127.0.0.1", 0})
      {:error, "expected a port from 1 to 65535"}
  """
  @spec wire(term) :: {:ok, check | map} | {:error, String.t()}
  def wire(value) when is_map(value), do: with_interval(value)

  def wire(value) do
    if Keyword.keyword?(value) and value != [],
      do: with_interval(Map.new(value)),
      else: with(:ok <- check(value), do: {:ok, value})
  end

  defp with_interval(map) do
    case Map.keys(map) -- [:check, :interval] do
      [] when is_map_key(map, :check) ->
        with :ok <- check(map.check), :ok <- interval(map), do: {:ok, map}

      [] ->
        {:error, "it has no :check"}

      [key | _] ->
        {:error, "unknown key #{inspect(key)}: expected :check and :interval"}
    end
  end

  defp interval(%{interval: ms}) when not is_integer(ms) or ms not in 1..@max_ms,
    do: {:error, "expected an interval from 1 to #{@max_ms} ms"}

  defp interval(_), do: :ok

  defp check({:stdout, text}) when is_binary(text) and text != "" do
    if String.contains?(text, "\n"), do: {:error, "a line contains no newline"}, else: :ok
  end

  defp check({:stdout, _}), do: {:error, "expected a text that is not empty"}

  defp check({:tcp, host, port}) do
    cond do
      not address?(host) -> {:error, "expected an IPv4 or IPv6 address or \"localhost\""}
      not is_integer(port) or port not in 1..65_535 -> {:error, "expected a port from 1 to 65535"}
      true -> :ok
    end
  end

  defp check({:unix, path}) when is_binary(path) and byte_size(path) > @socket_bytes,
    do: {:error, "the path of a socket has at most #{@socket_bytes} bytes"}

  defp check({kind, path}) when kind in [:unix, :file], do: text(path, "path")

  defp check({:command, program, args}) do
    if is_list(args) and not List.improper?(args),
      do: first_error([text(program, "program") | Enum.map(args, &argument/1)]),
      else: {:error, "expected the arguments of the command as a list of binaries"}
  end

  defp check(_) do
    {:error,
     "expected {:stdout, text}, {:tcp, host, port}, {:unix, path}, {:file, path} or " <>
       "{:command, program, args}"}
  end

  defp address?("localhost"), do: true

  defp address?(host) when is_binary(host) do
    String.valid?(host) and
      match?({:ok, _}, host |> String.to_charlist() |> :inet.parse_strict_address())
  end

  defp address?(_), do: false

  defp text("", what), do: {:error, "the #{what} is empty"}
  defp text(text, what), do: without_nul(text, what)

  defp argument(argument), do: without_nul(argument, "argument")

  defp without_nul(text, what) do
    cond do
      not is_binary(text) -> {:error, "the #{what} is no binary"}
      :binary.match(text, <<0>>) != :nomatch -> {:error, "the #{what} contains a NUL byte"}
      true -> :ok
    end
  end

  defp first_error(results), do: Enum.find(results, :ok, &(&1 != :ok))
end
