# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# What the test runners share. To be sourced.
# shellcheck shell=bash disable=SC2034
#
# A suite NAME is run by tests/run-NAME, each run in a directory of its own,
# build/results/NAME.PID, so that runs at the same time do not meet. It reports each test with
# report(), which prints a line and adds one to the file "results" there for tests/check to count:
#
#	pass|fail|skip TAB NAME TAB SECONDS TAB REASON

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${TORC_BUILD:-$top/build}
torc_run=$build/torc-run
suite=$(basename "$0")
suite=${suite#run-}
run=${TORC_TEST_RUN-}	# the run's directory; tests/check and a suite hand it on
results=$run/results

# A copy of a build's objects. What make knows of includes is told with their paths, and goes along.
copy_objects() { # copy_objects FROM TO
	cp -a "$1" "$2"
	find "$2" -name '*.d' -exec sed -i "s|$1/|$2/|g" {} +
}

begin_run() {
	local old
	for old in "$build/results"/*.*; do
		[ ! -d "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
	done
	run=$build/results/$suite.$$
	mkdir -p "$run"
}

begin_suite() {
	[ -n "$run" ] || begin_run
	export TORC_TEST_RUN=$run
	results=$run/results
	: >"$results"
}

clock() { # microseconds
	echo "${EPOCHREALTIME/./}"
}

since() { # since CLOCK: seconds with one decimal
	local tenths=$((("$(clock)" - $1) / 100000))
	echo "$((tenths / 10)).$((tenths % 10))"
}

report() { # report pass|fail|skip NAME SECONDS [REASON]
	local word=$1 mark
	case $word in
	pass) mark=ok ;;
	fail) mark=FAIL ;;
	skip) mark=skip ;;
	esac
	printf '%s\t%s\t%s\t%s\n' "$word" "$2" "$3" "${4-}" >>"$results"
	printf '%-4s  %-52s %6s s%s\n' "$mark" "$2" "$3" "${4:+  $4}"
}

count() { # count WORD FILE...: how many results are WORD
	local word=$1
	shift
	cat "$@" | grep -c "^$word	"
}

show_tail() { # show_tail FILE...: the ends of a failed test's outputs
	local file
	for file; do
		[ -s "$file" ] || continue
		echo "      --- ${file#"$top"/}"
		tail -n 25 "$file" | sed 's/^/      /'
	done
}

# A suite that ran no test has failed: something kept it from finding them.
end_suite() {
	local passed failed skipped
	passed=$(count pass "$results")
	failed=$(count fail "$results")
	skipped=$(count skip "$results")
	echo "== $suite: $((passed + failed + skipped)) tests, $failed failures, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
