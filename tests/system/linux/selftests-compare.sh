#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 The Torc authors
#
# usage: selftests-compare.sh NATIVE-LOG GUEST-LOG [ALLOWED]
#
# Compares two console logs of init-selftests, verdict by verdict, and prints a table in Markdown.
# Fails if either log is incomplete or a program is missing from one of them; and, for a program
# that ALLOWED (selftests-allowed) does not name, if its verdict differs, if the guest has more
# [FAIL] lines, or if it has no [OK] line where the native boot has some. A reason there that starts
# with "lines:" is none for another verdict. Other differences in the counts are shown: a part that
# is skipped natively may run in the guest, and the other way round.
set -eu

[ $# -ge 2 ] || { echo "usage: $0 NATIVE-LOG GUEST-LOG [ALLOWED]" >&2; exit 2; }
allowed=${3:-$(dirname "$0")/selftests-allowed}
for file in "$1" "$2" "$allowed"; do
	[ -r "$file" ] || { echo "$0: cannot read $file" >&2; exit 2; }
done

tr -d '\r' <"$1" | awk -v guest="$2" -v allowed="$allowed" '
	function is_row() { return $1 == "selftest" && NF == 7 }
	function counts(v) { return v[5] " / " v[6] " / " v[7] }
	FILENAME == "-" && is_row() { native[$2] = $0; order[++n] = $2 }
	FILENAME == "-" && $1 == "selftests" && $2 == "done" { native_done = $3 }
	END {
		while ((getline line <allowed) > 0)
			if (line !~ /^#/ && split(line, v, " ") > 1)
				may_differ[v[1]] = substr(line, length(v[1]) + 2)
		while ((getline line <guest) > 0) {
			gsub(/\r/, "", line)
			f = split(line, v, " ")
			if (v[1] == "selftest" && f == 7) {
				in_guest[v[2]] = line
				guests++
			}
			if (v[1] == "selftests" && v[2] == "done")
				guest_done = v[3]
		}
		if (!n || native_done != n || !guests || guest_done != guests || guests != n) {
			printf "incomplete: native %d of %d, guest %d of %d\n", n, native_done, \
				guests, guest_done >"/dev/stderr"
			exit 1
		}
		print "| program | native | guest | OK / FAIL / SKIP native | guest | |"
		print "| --- | --- | --- | --- | --- | --- |"
		for (i = 1; i <= n; i++) {
			split(native[order[i]], a, " ")
			split(in_guest[order[i]], b, " ")
			note = ""
			reason = may_differ[order[i]]
			if (a[3] != b[3] || b[6] > a[6] || (a[5] > 0 && b[5] == 0)) {
				note = reason
				if (reason == "" || (a[3] != b[3] && reason ~ /^lines:/)) {
					note = "DIFFERS"
					bad++
				}
			} else if (counts(a) != counts(b)) {
				note = reason == "" ? "counts differ" : reason
			}
			printf "| %s | %s | %s | %s | %s | %s |\n", order[i], a[3], b[3], \
				counts(a), counts(b), note
		}
		printf "selftests: %d the same or allowed, %d different\n", n - bad, bad \
			>"/dev/stderr"
		exit bad > 0
	}' -
