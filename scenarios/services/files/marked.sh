#!/bin/bash
# One service in the place of two: what goes to either address is marked, and the mark is the service.
ipvsadm -C
iptables -t mangle -A PREROUTING -p tcp -d 10.1.0.100 --dport 80 -j MARK --set-mark 7
iptables -t mangle -A PREROUTING -p tcp -d 10.1.0.101 --dport 80 -j MARK --set-mark 7
ipvsadm -A -f 7 -s rr -p 300
ipvsadm -a -f 7 -r 10.2.0.1:80 -m -w 1
ipvsadm -a -f 7 -r 10.2.0.2:80 -m -w 1
