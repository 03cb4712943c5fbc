defmodule Penning.OptionValues do
  @moduledoc """
  What the options of an OS process take, all but the environment. Pure.

  Only their kind is looked at here: whether a user exists, or a limit may be raised, the port
  program knows.
  """

  alias Penning.Readiness

  @max_ms 4_294_967_295

  @file_fields %{file: :text, append: :flag, mode: :count}
  @pty_fields %{
    rows: :count,
    columns: :count,
    x_pixels: :count,
    y_pixels: :count,
    modes: {:pairs, :mode}
  }
  @device_fields %{
    device: :text,
    read_bytes: :count,
    write_bytes: :count,
    read_operations: :count,
    write_operations: :count
  }
  @limit_fields %{
    memory: :count,
    cpu: :number,
    pids: :count,
    io: {:list, {:fields, @device_fields}}
  }
  @delivery_fields %{delimiter: :delimiter, max_length: :window}

  @kinds %{
    allow_root: :flag,
    arg0: :text,
    capabilities: :capabilities,
    cd: :text,
    cgroup_base: :text,
    cgroup_controllers: {:list, :name},
    cgroup_path: :text,
    cgroup_sets: {:list, :cgroup_set},
    clear_env: :flag,
    delay_to_sigkill: :time,
    gid: :account,
    groups: {:list, :account},
    limits: {:fields, @limit_fields},
    nice: :integer,
    no_new_privs: :flag,
    orphans: {:word, [:kill, :keep]},
    pid_namespace: :flag,
    pty: :pty,
    ready: :ready,
    require_containment: {:word, [:process_group, :subreaper, :cgroup, :pid_namespace]},
    rlimits: {:pairs, :rlimit},
    session: :flag,
    start_time: :count,
    stderr: {:stream, [:owner, :null, :closed, :stdout]},
    stderr_delivery: :delivery,
    stderr_window: :window,
    stdin: {:stream, [:owner, :null, :closed]},
    stdin_limit: :count,
    stdin_window: :window,
    stdio_window: :window,
    stdout: {:stream, [:owner, :null, :closed]},
    stdout_delivery: :delivery,
    stdout_window: :window,
    stop_command: {:list, :text},
    stop_signal: :account,
    success_exit_codes: {:list, :exit_code},
    uid: :account,
    umask: :count
  }

  @adopt [:delay_to_sigkill, :start_time, :stop_signal, :success_exit_codes]

  @doc "The names of those of a process that is started, or adopted."
  @spec names(:open | :adopt) :: [atom]
  def names(:open), do: Map.keys(@kinds) -- [:start_time]
  def names(:adopt), do: @adopt

  @doc """
  The value for the port program, or what is wrong with it.

      iex> Penning.OptionValues.wire(:pty, rows: 24)
      {:ok, [rows: 24]}
      iex> Penning.OptionValues.wire(:pty, rows: "24")
      {:error, "rows: expected an integer of 0 or more"}
      iex> Penning.OptionValues.wire(:limits, io: [[device: "/dev/sda", speed: 1]])
      {:error, "io: unknown key :speed"}
  """
  @spec wire(atom, term) :: {:ok, term} | {:error, String.t()}
  def wire(:ready, value), do: Readiness.wire(value)

  def wire(name, value) do
    case problem(Map.fetch!(@kinds, name), value) do
      nil -> {:ok, value}
      text -> {:error, text}
    end
  end

  # -- of one kind ---------------------------------------------------------------------------------

  defp problem(:flag, value), do: expect(is_boolean(value), "true or false")
  defp problem(:integer, value), do: expect(is_integer(value), "an integer")
  defp problem(:count, value), do: expect(count?(value), "an integer of 0 or more")
  defp problem(:number, value), do: expect(is_number(value), "a number")
  defp problem(:name, value), do: expect(name?(value), "a binary or an atom")
  defp problem(:exit_code, value), do: expect(value in 0..255, "an integer from 0 to 255")

  defp problem(:window, value),
    do: expect(is_integer(value) and value > 0, "an integer greater than 0")

  defp problem(:time, value),
    do:
      expect(count?(value) and value <= @max_ms, "milliseconds, an integer from 0 to #{@max_ms}")

  defp problem(:account, value),
    do: expect(count?(value) or name?(value), "a number or a name")

  defp problem(:text, value) do
    if is_binary(value) and value != "",
      do: expect_no_nul(value),
      else: "expected a binary that is not empty"
  end

  defp problem(:rlimit, {soft, hard}), do: problem(:rlimit, soft) || problem(:rlimit, hard)

  defp problem(:rlimit, value),
    do: expect(count?(value) or value == :infinity, "an integer, :infinity or {soft, hard}")

  defp problem(:mode, value),
    do: expect(count?(value) or is_boolean(value), "an integer, true or false")

  defp problem(:cgroup_set, {controller, key, value}),
    do: Enum.find_value([controller, key, value], &problem(:name, &1))

  defp problem(:cgroup_set, _), do: "expected {controller, key, value}"

  defp problem(:capabilities, value) do
    case if(is_tuple(value), do: [value], else: pairs(value)) do
      [{what, names}] when what in [:keep, :drop] -> problem({:list, :name}, names)
      _ -> "expected {:keep, names} or {:drop, names}"
    end
  end

  defp problem(:delimiter, value),
    do: expect(is_binary(value) and value != "", "a binary that is not empty")

  defp problem(:delivery, value) do
    cond do
      value in [:bytes, :lines] -> nil
      pairs(value) not in [nil, []] -> problem({:fields, @delivery_fields}, value)
      true -> "expected :bytes, :lines or a keyword list or map of :delimiter and :max_length"
    end
  end

  defp problem(:pty, value) when is_boolean(value), do: nil
  defp problem(:pty, value), do: problem({:fields, @pty_fields}, value)

  # -- of several ----------------------------------------------------------------------------------

  defp problem({:word, words}, value),
    do: expect(value in words, "one of " <> Enum.map_join(words, ", ", &inspect/1))

  defp problem({:stream, _words}, {:file, path}), do: problem(:text, path)

  defp problem({:stream, words}, value) do
    cond do
      pairs(value) not in [nil, []] -> problem({:fields, @file_fields}, value)
      value in words -> nil
      true -> "expected #{Enum.map_join(words, ", ", &inspect/1)} or {:file, path}"
    end
  end

  defp problem({:list, kind}, value) do
    if is_list(value) and not List.improper?(value),
      do: Enum.find_value(value, &problem(kind, &1)),
      else: "expected a list"
  end

  defp problem({:pairs, kind}, value) do
    if pairs = pairs(value),
      do: Enum.find_value(pairs, fn {key, inner} -> named(key, problem(kind, inner)) end),
      else: "expected a keyword list or a map"
  end

  defp problem({:fields, fields}, value) do
    if pairs = pairs(value),
      do: Enum.find_value(pairs, &field(&1, fields)),
      else: "expected a keyword list or a map"
  end

  defp field({key, value}, fields) do
    case fields do
      %{^key => kind} -> named(key, problem(kind, value))
      _ -> "unknown key #{inspect(key)}"
    end
  end

  defp named(_key, nil), do: nil
  defp named(key, text), do: "#{key}: #{text}"

  # -- what things are -----------------------------------------------------------------------------

  defp pairs(value) when is_map(value) and not is_struct(value), do: Map.to_list(value)

  defp pairs(value) when is_list(value) do
    if not List.improper?(value) and
         Enum.all?(value, &match?({key, _} when is_atom(key) or is_binary(key), &1)),
       do: value
  end

  defp pairs(_), do: nil

  defp count?(value), do: is_integer(value) and value >= 0

  defp name?(value) when is_atom(value), do: value not in [nil, true, false]
  defp name?(value), do: is_binary(value) and value != ""

  defp expect_no_nul(text),
    do: if(:binary.match(text, <<0>>) != :nomatch, do: "it contains a NUL byte")

  defp expect(true, _), do: nil
  defp expect(false, what), do: "expected " <> what
end
