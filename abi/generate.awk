# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Torc authors
#
# Reads hypercalls.tbl and writes, by -v mode=...
#   numbers     abi/include/torc/hypercalls.h: a number for each call
#   dispatch    the hypervisor's table and the prototypes of its handlers
#   prototypes  the guest's inline functions
#   doc         the reference table of docs/abi.md

function fail(text) {
	printf "hypercalls.tbl:%d: %s\n", NR, text > "/dev/stderr"
	failed = 1
	exit 1
}

/^#/ || /^$/ { next }

/^[ \t]/ {
	sub(/^[ \t]+/, "")
	doc[n] = doc[n] (doc[n] == "" ? "" : " ") $0
	next
}

{
	n++
	if ($1 !~ /^0x[0-9a-f][0-9a-f]$/) fail("bad number " $1)
	if ($3 != "active" && $3 != "reserved") fail("bad state " $3)
	if ($1 in seen) fail("number " $1 " twice")
	seen[$1] = 1
	number[n] = $1; name[n] = $2; state[n] = $3; args[n] = 0
	for (i = 4; i <= NF; i++) {
		if ($i == "->") { split($(++i), part, ":"); rax[n] = part[1]; rax_unit[n] = part[2]; continue }
		if ($i == "=>") { split($(++i), part, ":"); rdx[n] = part[1]; rdx_unit[n] = part[2]; continue }
		if (!match($i, /:/)) fail("argument without unit: " $i)
		args[n]++
		arg[n, args[n]] = substr($i, 1, RSTART - 1)
		unit[n, args[n]] = substr($i, RSTART + 1)
	}
	if (args[n] > 6) fail("more than six arguments")
}

function banner(licence) {
	print "/* SPDX-License-Identifier: " licence " */"
	print "/* Copyright (c) 2026 The Torc authors */"
	print "/* Made from abi/hypercalls.tbl by abi/generate.awk: edit that table. */"
}

function numbers(   i) {
	banner("MIT")
	print "#ifndef TORC_HYPERCALLS_H\n#define TORC_HYPERCALLS_H\n"
	for (i = 1; i <= n; i++)
		printf "#define TORC_HC_%s %s\n", toupper(name[i]), number[i]
	printf "\n/* One more than the highest number. */\n#define TORC_HC_COUNT (%s + 1)\n\n#endif\n", number[n]
}

function dispatch(   i, j) {
	banner("BSD-2-Clause")
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "s64 hc_%s(struct vcpu *vcpu", name[i]
		for (j = 1; j <= args[i]; j++) printf ", u64 %s", arg[i, j]
		if (rdx[i] != "") printf ", u64 *%s", rdx[i]
		print ");"
	}
	print ""
	print "static inline s64 hypercall_dispatch(struct vcpu *vcpu, struct regs *regs)\n{"
	print "\tswitch (regs->rax) {"
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "\tcase TORC_HC_%s:\n\t\treturn hc_%s(vcpu", toupper(name[i]), name[i]
		for (j = 1; j <= args[i]; j++) printf ", regs->%s", reg[j]
		if (rdx[i] != "") printf ", &regs->rdx"
		print ");"
	}
	print "\tdefault:\n\t\treturn TORC_ENOSYS;\n\t}\n}"
}

function prototypes(   i, j) {
	banner("MIT")
	print "#ifndef TORC_CALLS_H\n#define TORC_CALLS_H\n\n#include <torc/call.h>"
	for (i = 1; i <= n; i++) {
		if (state[i] != "active") continue
		printf "\n/**\n * torc_%s - %s\n", name[i], doc[i]
		for (j = 1; j <= args[i]; j++) printf " * @%s: %s\n", arg[i, j], unit[i, j]
		if (rdx[i] != "") printf " * @%s: receives RDX: %s\n", rdx[i], rdx_unit[i]
		if (rax[i] != "") printf " * Return: %s (%s) or a TORC_E* error.\n */\n", rax[i], rax_unit[i]
		else print " * Return: TORC_OK or a TORC_E* error.\n */"
		printf "static inline int64_t torc_%s(", name[i]
		if (args[i] == 0 && rdx[i] == "") printf "void"
		for (j = 1; j <= args[i]; j++) printf "%suint64_t %s", (j > 1 ? ", " : ""), arg[i, j]
		if (rdx[i] != "") printf "%suint64_t *%s", args[i] ? ", " : "", rdx[i]
		printf ")\n{\n\treturn torc_call(TORC_HC_%s", toupper(name[i])
		for (j = 1; j <= 4; j++) printf ", %s", (j <= args[i] ? arg[i, j] : "0")
		printf ", %s);\n}\n", rdx[i] != "" ? rdx[i] : "NULL"
	}
	print "\n#endif"
}

function document(   i, j, list) {
	print "| number | call | arguments | RAX / RDX on success | what it does |"
	print "| --- | --- | --- | --- | --- |"
	for (i = 1; i <= n; i++) {
		list = ""
		for (j = 1; j <= args[i]; j++)
			list = list ((j > 1 ? ", " : "")) arg[i, j] " (" unit[i, j] ")"
		printf "| `%s` | `%s`%s | %s | %s%s | %s |\n", number[i], name[i], \
			state[i] == "reserved" ? " (reserved)" : "", list == "" ? "-" : list, \
			rax[i] != "" ? rax[i] " (" rax_unit[i] ")" : "0", \
			rdx[i] != "" ? " / " rdx[i] " (" rdx_unit[i] ")" : "", doc[i]
	}
}

END {
	if (failed) exit 1
	split("rdi rsi rdx r10 r8 r9", reg, " ")
	if (mode == "numbers") numbers()
	else if (mode == "dispatch") dispatch()
	else if (mode == "prototypes") prototypes()
	else if (mode == "doc") document()
	else fail("unknown mode " mode)
}
