#!/bin/bash
echo 1 > /proc/sys/net/ipv4/ip_forward
vip=172.16.254.200
port=81
for scheduler in rr wrr lc wlc lblc lblcr dh sh; do
    ipvsadm -A -t $vip:$port -s $scheduler
    ipvsadm -a -t $vip:$port -r 192.168.0.18:80 -m -w 1
    ipvsadm -a -t $vip:$port -r 192.168.0.28:80 -m -w 2
    port=$((port+1))
done
