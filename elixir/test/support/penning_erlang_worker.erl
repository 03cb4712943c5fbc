%% A callback module in Erlang that tells the test what is called.
-module(penning_erlang_worker).
-behaviour(gen_server).
-behaviour(penning).

-export([start_link/3, init/1, handle_call/3, handle_cast/2]).
-export([handle_stdout/2, handle_stderr/2, handle_exit/2]).

start_link(Program, Args, Test) ->
    penning:start_link(?MODULE, Program, Args, Test, [{name, {local, ?MODULE}}]).

init(Test) -> {ok, Test}.

handle_call(os_pid, _From, Test) -> {reply, penning:os_pid(self()), Test}.

handle_cast({command, Iodata}, Test) ->
    ok = penning:command(self(), Iodata),
    {noreply, Test}.

handle_stdout(Bytes, Test) ->
    Test ! {stdout, Bytes},
    {noreply, Test}.

handle_stderr(Bytes, Test) ->
    Test ! {stderr, Bytes},
    {noreply, Test}.

handle_exit(Reason, Test) ->
    Test ! {exit, Reason},
    {stop, Reason, Test}.
