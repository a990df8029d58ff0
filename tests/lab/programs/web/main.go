// Command web is the workload of the lab and the probes against it, in one static program:
//
//	web [serve]        answer HTTP and UDP with one line: which pod, on which node, seen from which client
//	web get URL        fetch a URL and print the body
//	web udp HOST:PORT  send one datagram and print the answer
//	web lookup NAME    resolve a name and print its addresses
//	web pause          do nothing until told to stop (the sandbox image of the lab)
//
// Environment: PORT (HTTP, 80), UDP_PORT (PORT), POD_NAME, NODE_NAME (downward API), DELAY (before each
// answer, "200ms"), STOP_DELAY (keep serving so long after SIGTERM, "5s").
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	command, argument := "serve", ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	var err error
	switch command {
	case "serve":
		err = serve()
	case "get":
		err = get(argument)
	case "udp":
		err = udp(argument)
	case "lookup":
		err = lookup(argument)
	case "pause":
		pause()
	default:
		err = fmt.Errorf("unknown command %q", command)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func serve() error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	delay, err := duration("DELAY")
	if err != nil {
		return err
	}
	stopDelay, err := duration("STOP_DELAY")
	if err != nil {
		return err
	}
	hostname, _ := os.Hostname()
	pod, node, port := setting("POD_NAME", hostname), setting("NODE_NAME", "-"), setting("PORT", "80")
	line := func(client string) string { return fmt.Sprintf("pod=%s node=%s client=%s\n", pod, node, client) }

	packets, err := net.ListenPacket("udp", ":"+setting("UDP_PORT", port))
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 2048)
		for {
			_, client, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			time.Sleep(delay)
			if _, err := packets.WriteTo([]byte(line(client.String())), client); err != nil {
				fmt.Fprintln(os.Stderr, "web: answer over UDP:", err)
			}
		}
	}()

	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: 5 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			io.WriteString(w, "ok\n")
			return
		}
		time.Sleep(delay)
		io.WriteString(w, line(r.RemoteAddr))
	})
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Print("serving: ", line("none"))
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	time.Sleep(stopDelay)
	deadline, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer packets.Close()
	return server.Shutdown(deadline)
}

func get(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= 400 {
		return fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	return nil
}

func udp(address string) error {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "who\n"); err != nil {
		return err
	}
	buffer := make([]byte, 2048)
	n, err := conn.Read(buffer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(buffer[:n])
	return err
}

func lookup(name string) error {
	deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(deadline, name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, "\n"))
	return nil
}

func pause() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	<-stop.Done()
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func duration(name string) (time.Duration, error) {
	value, err := time.ParseDuration(setting(name, "0s"))
	if err != nil {
		return 0, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return value, nil
}
