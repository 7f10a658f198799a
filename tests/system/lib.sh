# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# What the system tests share. To be sourced. Each works in a directory of its own.
# shellcheck shell=bash disable=SC2034

set -uo pipefail
build=${TORC_BUILD:?is set by tests/run-system}
guests=$build/guests
audited=(--hypervisor "$build/debug/torc32.elf") # options for torc: one that checks itself
failures=0

fail() { # fail MESSAGE...: note a failure and go on
	echo "FAILED: $*"
	failures=$((failures + 1))
}

look() { # shows what torc-run left, and looks whether the hypervisor kept its limit
	sed 's/^/  out: /' out
	sed 's/^/  log: /' log
	"$(dirname "${BASH_SOURCE[0]}")/../memory-limit" log >verdict || fail "$(cat verdict)"
}

# Runs torc-run and leaves its output in the files out and log, its exit status in $status.
torc() { # torc ARGUMENT...
	echo "+ torc-run $*"
	"$build/torc-run" --timeout "${limit:-60}" "$@" >out 2>log
	status=$?
	look
}

# Like torc, but goes on while the machine runs, and keys can be sent to it; ended by torc_wait.
torc_start() { # torc_start ARGUMENT...
	trap '' PIPE
	echo "+ torc-run $*"
	rm -f keys
	mkfifo keys
	: >out
	: >log
	"$build/torc-run" --timeout "${limit:-60}" "$@" <keys >out 2>log &
	machine=$!
	exec 7>keys
}

torc_wait() {
	exec 7>&-
	wait $machine
	status=$?
	look
}

press() { # press KEYS: as printf has them
	# shellcheck disable=SC2059
	printf "$1" >&7
}

await() { # await FILE REGEX [COUNT]: until so many lines match
	while [ "$(grep -acE -- "$2" "$1")" -lt "${3:-1}" ]; do
		if ! kill -0 $machine 2>/dev/null; then
			fail "the machine ended before $1 had '$2'"
			return
		fi
		sleep 0.1
	done
}

# Asks by Ctrl-Y, and sets what it says of memory: hypervisor_kib, guests_mib, free_mib.
ask_memory() {
	local before
	before=$(grep -c 'MiB free chunks$' log)
	press '\031'
	await log 'MiB free chunks$' $((before + 1))
	# shellcheck disable=SC2046
	set -- $(grep '^torc: memory: ' log | tail -n 2 | tr -dc '0-9 \n')
	hypervisor_kib=$1 guests_mib=$4 free_mib=$5
}

expect_status() { # expect_status STATUS
	[ "$status" -eq "$1" ] || fail "status $status instead of $1"
}

expect() { # expect FILE REGEX: a line of out or log matches
	grep -qE -- "$2" "$1" || fail "no line of $1 matches '$2'"
}

expect_not() { # expect_not FILE REGEX
	! grep -qE -- "$2" "$1" || fail "a line of $1 matches '$2'"
}

end_test() {
	[ $failures -eq 0 ]
	exit
}

expect_clean() { # an audited hypervisor found all references right and no frame left over
	expect log '^torc: audit: clean$'
}

file_offset() { # file_offset ELF ADDRESS: where the byte at a virtual address stands in the file
	readelf -lW "$1" | while read -r type offset address _ size _; do
		[ "$type" = LOAD ] && ((($2 - address) >= 0 && ($2 - address) < size)) &&
			echo $(($2 - address + offset)) && break
	done
}

poke() { # poke FILE OFFSET BYTES: write bytes, as printf's \x escapes, into a file
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# A copy of the hello guest that begins with other instructions.
altered_hello() { # altered_hello FILE BYTES
	local entry
	cp "$guests/hello.elf" "$1"
	entry=$(readelf -hW "$1" | sed -n 's/.*Entry point address: *//p')
	poke "$1" "$(file_offset "$1" "$entry")" "$2"
}
