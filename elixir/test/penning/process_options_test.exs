defmodule Penning.ProcessOptionsTest do
  use Penning.Case, async: true

  {id, 0} = System.cmd("id", ["-u"])
  @root? id == "0\n"

  setup do
    Process.flag(:trap_exit, true)
    :ok
  end

  defp output(script, opts) do
    {:ok, ps} = sh(script, opts)
    collect(ps)
  end

  test "a program has its limits, its umask and its niceness" do
    script = "ulimit -n; ulimit -c; umask; nice"
    opts = [rlimits: [nofile: 64, core: {0, 0}], umask: 0o027, nice: 19]
    assert output(script, opts) == {"64\n0\n0027\n19\n", "", :normal}
  end

  test "a program has none of our variables" do
    assert {environment, "", :normal} =
             output("exec /usr/bin/env", clear_env: true, env: [A: "1"])

    assert "A=1" in String.split(environment, "\n")
    refute environment =~ "HOME="
  end

  @tag skip: if(not @root?, do: "to become another user takes root")
  test "a program runs as a user, by name or number" do
    assert output("id -un; id -Gn", uid: "nobody") == {"nobody\nnogroup\n", "", :normal}

    assert output("id -u; id -G", uid: 65_534, groups: ["tty"]) ==
             {"65534\n65534 5\n", "", :normal}

    assert output("id -un", uid: "root", allow_root: true) == {"root\n", "", :normal}
  end

  test "a program is not root by mistake" do
    assert_raise ArgumentError, ~r/invalid option :uid with value "root": /, fn ->
      Penning.open("id", [], uid: "root")
    end
  end

  test "streams go to files, to nothing and together" do
    path = temporary_file()
    assert output("echo out; echo err >&2", stdout: {:file, path}) == {"", "err\n", :normal}
    opts = [stdout: [file: path, append: true], stderr: :stdout, stdin: :null]
    assert output("cat; echo more; echo err >&2", opts) == {"", "", :normal}
    assert File.read!(path) == "out\nmore\nerr\n"
    assert output("echo out; echo err >&2", stderr: :stdout) == {"out\nerr\n", "", :normal}
  end

  test "a file is created with its mode" do
    path = temporary_file()
    assert {"", "", :normal} = output(":", stdout: %{file: path, mode: 0o600})
    assert Bitwise.band(File.stat!(path).mode, 0o777) == 0o600
  end

  test "a terminal has a size and modes" do
    opts = [pty: [rows: 7, columns: 40, modes: [opost: false, echo: false]]]
    assert {"7 40\n-echo\n", "", :normal} = output("stty size; stty -a | grep -wo -e -echo", opts)
  end

  test "a status counts as success" do
    assert output("exit 3", success_exit_codes: [3]) == {"", "", :normal}
    assert output("exit 4", success_exit_codes: [3]) == {"", "", {:exit_status, 4}}
  end

  test "a program may ask for a containment" do
    # the weakest one, which is always there
    assert {"", "", :normal} = output(":", require_containment: :process_group)
  end
end
