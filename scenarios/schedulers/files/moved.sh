#!/bin/bash
# Who serves each client of this port: the first time it is noted, the second time compared.
port=$1
stayed=0
moved=0
for n in $(seq 11 40); do
    server=$(curl -s --interface 10.1.0.$n 10.1.0.100:$port)
    if [ -f /tmp/$port.$n ]; then
        if [ "$server" = "$(cat /tmp/$port.$n)" ]; then stayed=$((stayed+1)); else moved=$((moved+1)); fi
    else
        echo "$server" > /tmp/$port.$n
    fi
done
echo $stayed stayed, $moved moved
